// The place of hashing for tests that also run in a page, which has no worker threads of Node.

/** @type {'workers' | 'inline'} */
export const hashing = 'process' in globalThis ? 'workers' : 'inline'
