// The one instance of the module, made at first use, and the one way to call into it.
import * as glue from '../target/npm/countersign.js'
import { CountersignError, fromModule, guarded } from './error.js'
import { compileEngine } from './platform.js'

export type * from '../target/npm/countersign.js'

/**
 * The bytes of stack that a call gets. It grows down to address 0, below which a write traps: so a call has written to no
 * other bytes of the stack, and the wipe after it needs no others.
 * @internal
 */
export const STACK = Object.freeze({
  /** A call without a document: 4 KiB at most are used. */
  values: 16_384,
  /** Any other call: 24 KiB at most are used, for JSON that is nested as deeply as the parser admits. All that there is, by `.cargo/config.toml`. */
  documents: 65_536,
})

let compiled: WebAssembly.Module | undefined

let memory: WebAssembly.Memory | undefined
let stackPointer: WebAssembly.Global<'i32'> | undefined

let torn = 0

/**
 * Calls that ended in the middle. A policy that was compiled before may be borrowed by one for ever: compile it anew. The
 * collector frees it all the same, or leaves it.
 * @internal
 */
export const tornCalls = (): number => torn

/** The compiled module: one for the instance here and for those of the worker threads. @internal */
export const compiledModule = (): WebAssembly.Module => (compiled ??= compileEngine())

/**
 * Linear memory, for the test that no secret stays in it.
 * @internal
 */
export const linearMemory = () => {
  if (memory === undefined) {
    const made = glue.initSync({ module: compiledModule() }) as glue.InitOutput & {
      __stack_pointer: WebAssembly.Global<'i32'>
    }
    memory = made.memory
    stackPointer = made.__stack_pointer
    stackPointer.value = STACK.documents
  }
  return memory
}

/**
 * Runs a job that calls into the module, synchronously. An error of the module becomes a
 * {@link CountersignError}; afterwards the stack that it had, which is unused then, is wiped. The heap wipes
 * itself when memory is freed.
 *
 * A call may be made within another one, where the module calls JavaScript and that runs code of the host's: it gets the stack
 * that the outer call has not used, and wipes no more.
 *
 * Any error but those that the module says itself leaves its functions in the middle: a trap, or an exception of JavaScript's,
 * such as that the stack of JavaScript is used up. The module's stack is given back, or repeated ones would use it up, and
 * {@link tornCalls} tells that what the call had borrowed stays borrowed.
 * @internal
 */
export function wiped<T>(job: () => T, stack: number = STACK.documents): T {
  linearMemory()
  const free = stackPointer!.value // all of it outside of a call, also for the collector, which frees there
  const given = Math.min(stack, free)
  stackPointer!.value = given
  let isTorn = true
  try {
    const result = job()
    isTorn = false
    return result
  } catch (error) {
    const ours = fromModule(error)
    isTorn = ours.code === 'internal'
    throw ours
  } finally {
    if (isTorn) torn += 1
    stackPointer!.value = free
    new Uint8Array(memory!.buffer, 0, given).fill(0)
  }
}

/** The same with the module at hand. @internal */
export const call = <T>(job: (module: typeof glue) => T, stack: number = STACK.documents): T =>
  wiped(() => job(glue), stack)

/** 32 bytes of the platform's cryptographic random source. */
export const randomSeed = (): Uint8Array =>
  guarded('no_entropy', '', 'this runtime gives no random bytes here', () => {
    const seed = globalThis.crypto.getRandomValues(new Uint8Array(32))
    // A stub may fill nothing, or one value.
    if (seed.length !== 32 || seed.every((byte) => byte === seed[0]))
      throw new CountersignError(
        'no_entropy',
        '',
        'crypto.getRandomValues gives no random bytes: it may be a stub of a test',
      )
    return seed
  })
