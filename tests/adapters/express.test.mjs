// The example of Express.
import { conforms } from './conformance.mjs'
import { examplesWith } from './service.mjs'

conforms('Express 5', { folder: examplesWith(), file: 'express.js' })
