// The same parts for edge workers. They run no WebAssembly that they compile themselves: the bundler of the worker hands the
// compiled engine over. They have no threads, so that a password hash runs in the thread that serves the request.
import engine from '../target/npm/countersign_bg.wasm?module'
import type * as platform from './platform.js'

export const compileEngine: typeof platform.compileEngine = () => engine

export const HASHING = 'inline'

export const CALLS_WAIT: typeof platform.CALLS_WAIT = false

export const threads: typeof platform.threads = () => undefined

export const soon: typeof platform.soon = (job) => setTimeout(job)

export const warn: typeof platform.warn = (message) => console.warn(message)
