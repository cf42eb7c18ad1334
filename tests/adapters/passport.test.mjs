// The example of Passport, on Express 5.
import { conforms } from './conformance.mjs'
import { examplesWith } from './service.mjs'

conforms('Passport 0.7', { folder: examplesWith(), file: 'passport.js' })
