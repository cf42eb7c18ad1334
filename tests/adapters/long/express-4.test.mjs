// The example of Express, under Express 4.
import { conforms } from '../conformance.mjs'
import { examplesWith } from '../service.mjs'

conforms('Express 4', { folder: examplesWith({ express: 'express4' }), file: 'express.js' })
