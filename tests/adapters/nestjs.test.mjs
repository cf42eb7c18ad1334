// The example of NestJS, on Express.
import { conforms } from './conformance.mjs'
import { nestFolder } from './nest.mjs'

conforms('NestJS 12 on Express', { folder: nestFolder('nest-express'), file: 'nestjs.js' })
