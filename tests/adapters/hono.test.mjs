// The example of Hono on Node.js. The other runtimes are in tests/adapters/long.
import { conforms } from './conformance.mjs'
import { examplesWith } from './service.mjs'

conforms('Hono 4', { folder: examplesWith(), file: 'hono.js' })
