// The parts that differ between runtimes: for Node and its like, which compile WebAssembly from bytes and have worker threads.
// The build for edge workers takes `platform-edge.ts` in place of this file.
import packed from '../target/npm/countersign_bg.wasm'
import { CountersignError } from './error.js'

/**
 * A built-in module of Node, if this runtime has it. It is not imported, because a bundler for another platform would look
 * for a file of that name.
 */
const builtIn = <Name extends 'node:crypto' | 'node:os' | 'node:worker_threads' | 'node:zlib'>(name: Name) =>
  globalThis.process?.getBuiltinModule?.(name)

/** The compiled engine. The build has packed its bytes by brotli. */
export function compileEngine(): WebAssembly.Module {
  const zlib = builtIn('node:zlib')
  if (zlib === undefined)
    throw new CountersignError(
      'not_loaded',
      '',
      'the engine needs Node.js 20.16 or newer, Bun or Deno. Bundle for an edge worker with the condition `workerd` or `edge-light`; a page needs `countersign/browser` only',
    )
  return new WebAssembly.Module(zlib.brotliDecompressSync(packed) as Uint8Array<ArrayBuffer>)
}

/** The place of password hashes where the host names none. */
export const HASHING = 'workers'

/**
 * Whether calls may wait for one another. In an edge worker they may not: it drops the timers of a request that has ended, and a
 * promise that another request awaits from it stays open for ever.
 */
export const CALLS_WAIT: boolean = true

/** The threads of this runtime, if it has them, and the number of its processors. */
export function threads(): { Worker: typeof import('node:worker_threads').Worker; processors: number } | undefined {
  try {
    const [os, found] = [builtIn('node:os')!, builtIn('node:worker_threads')!]
    return { Worker: found.Worker, processors: os.availableParallelism() }
  } catch {
    return undefined
  }
}

/** Runs a job in the next turn of the event loop. Taken now, so that a host's tests may replace the timers. */
export const soon: (job: () => void) => unknown = globalThis.setImmediate ?? globalThis.setTimeout

/** Writes a warning into the log of the host. */
export function warn(message: string): void {
  if (globalThis.process !== undefined) process.emitWarning(message)
  else console.warn(message)
}

/** Hashes and their comparison, for the storage API, which runs in Node and its like only. */
export const nodeCrypto = (): Pick<typeof import('node:crypto'), 'createHash' | 'timingSafeEqual'> =>
  builtIn('node:crypto')!
