// The examples of Fastify, with its sealed cookie and with sessions.
import { conforms } from './conformance.mjs'
import { examplesWith } from './service.mjs'

const folder = examplesWith()
conforms('Fastify 5', { folder, file: 'fastify.js' })
conforms('Fastify 5, @fastify/session', {
  folder,
  file: 'fastify-session.js',
  env: { SESSION_SECRET: 'a secret of the tests, for signatures' },
})
