// The example of Fastify.
import { conforms } from './conformance.mjs'
import { examplesWith } from './service.mjs'

conforms('Fastify 5', { folder: examplesWith(), file: 'fastify.js' })
