// The example of NestJS, on Fastify.
import { conforms } from '../conformance.mjs'
import { nestFolder } from '../nest.mjs'

conforms('NestJS 12 on Fastify', {
  folder: nestFolder('nest-fastify'),
  file: 'nestjs.js',
  env: { PLATFORM: 'fastify' },
})
