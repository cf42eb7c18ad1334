// A worker thread that computes hashes. It has the compiled module and an instance of its own, so that the
// memory of a large hash is not the memory that holds policies and keys. It gets no key, no record and no
// environment.
import { CountersignError } from './error.js'
import type { HashWorker } from './hash-queue.js'
import { threads } from './platform.js'
import { compiledModule, STACK } from './wasm.js'

/**
 * The thread's program, as text, so that a bundler loses no file. A hash calls none of the module's imports.
 * No name is `module`, which Bun and Deno have declared. It wipes the job, the stack and its copy of the hash; the module's
 * allocator wipes freed memory.
 */
const PROGRAM = `'use strict'
const { parentPort, workerData: { engine, stackBytes } } = require('node:worker_threads')
const imports = {}
for (const { module: from, name } of WebAssembly.Module.imports(engine)) {
  imports[from] ??= {}
  imports[from][name] = () => { throw new Error('a hash needs no import') }
}
const { argon2id, hashwords_word, __wbg_hashwords_free, memory } = new WebAssembly.Instance(engine, imports).exports
parentPort.on('message', (job) => {
  const view = new DataView(job.buffer)
  const made = argon2id(...Array.from({ length: 8 }, (_, word) => view.getBigUint64(8 * word, true)))
  if (made === 0) throw new Error('not a hash job')
  job.fill(0)
  const hash = new DataView(new ArrayBuffer(32))
  for (let word = 0; word < 4; word += 1) hash.setBigInt64(8 * word, hashwords_word(made, word), true)
  __wbg_hashwords_free(made, 0)
  new Uint8Array(memory.buffer, 0, stackBytes).fill(0)
  parentPort.postMessage(hash.buffer, [hash.buffer])
})`

/** The error about a runtime without worker threads. */
export const noWorkers = (cause?: unknown) =>
  new CountersignError(
    'no_workers',
    'hashing',
    "worker threads cannot be started here: set `hashing` to 'inline', and see in its description what that costs",
    cause,
  )

/** Starts a thread. It keeps the process alive only while it computes. */
export function startWorker(): HashWorker {
  const thread = newThread()
  thread.unref()
  let current: { resolve(hash: Uint8Array): void; reject(error: unknown): void } | undefined
  const worker = {
    alive: true,
    compute: (job: Uint8Array) =>
      new Promise<Uint8Array>((resolve, reject) => {
        current = { resolve, reject }
        thread.ref()
        // Moved and not copied, so that no copy is left here.
        const moved = new Uint8Array(64)
        moved.set(job)
        thread.postMessage(moved, [moved.buffer])
      }),
  }
  const ended = (cause: unknown) => {
    worker.alive = false
    current?.reject(new CountersignError('internal', 'hashing', 'a worker thread ended; nothing was stored', cause))
    current = undefined
  }
  thread.on('message', (hash: ArrayBuffer) => {
    thread.unref()
    current?.resolve(new Uint8Array(hash))
    current = undefined
  })
  thread.on('error', ended)
  thread.on('exit', ended)
  return worker
}

function newThread() {
  const found = threads()
  if (found === undefined) throw noWorkers()
  const workerData = { engine: compiledModule(), stackBytes: STACK.documents }
  try {
    // Options and environment of the process are not handed on: they may load code, and hold secrets.
    return new found.Worker(PROGRAM, { eval: true, execArgv: [], env: {}, name: 'countersign', workerData })
  } catch (error) {
    throw noWorkers(error)
  }
}
