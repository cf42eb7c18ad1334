// The example of Fastify with sessions.
import { conforms } from '../conformance.mjs'
import { examplesWith } from '../service.mjs'

conforms('Fastify 5, @fastify/session', {
  folder: examplesWith(),
  file: 'fastify-session.js',
  env: { SESSION_SECRET: 'a secret of the tests, for signatures' },
})
