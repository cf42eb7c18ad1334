// The cases of all adapters, on better-auth.
import { fileURLToPath } from 'node:url'
import { conforms } from './conformance.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const env = { NODE_OPTIONS: `--import ${at('clock.mjs')} --import ${at('use-frameworks.mjs')}`, NODE_ENV: 'production' }

const without = {
  'malformed input is answered, and never throws':
    'better-auth reads bodies and paths, and answers a wrong type, length or method in its own way; the fields are tried beside',
  'a native client keeps the session as a value':
    "the value is for the half-way state alone; after it, a native client has better-auth's bearer token",
}

conforms('better-auth', { folder: at('.'), file: 'better-auth-app.mjs', env }, { without })
