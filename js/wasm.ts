// The one instance of the module, made at first use, and the one way to call into it.
import * as glue from '../target/npm/countersign.js'
import bytes from '../target/npm/countersign_bg.wasm'
import { fromModule } from './error.js'

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

/** Compiled policies, so that they can be given up when the module trapped. */
const shelves: WeakRef<Map<string, object>>[] = []
/** Perhaps still borrowed by a call that trapped: kept from the collector, which could not free them. */
const abandoned: object[] = []

/**
 * A map for compiled policies by their text. It is cleared when the module trapped.
 * @internal
 */
export function shelf<T extends object>(): Map<string, T> {
  const map = new Map<string, T>()
  shelves.push(new WeakRef(map))
  return map
}

/** The compiled module: one for the instance here and for those of the worker threads. @internal */
export const compiledModule = (): WebAssembly.Module => (compiled ??= new WebAssembly.Module(bytes))

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
 * The module has no panics that we know of. Should it trap all the same, the stack it left behind
 * is given back, or repeated traps would use it up.
 * @internal
 */
export function wiped<T>(job: () => T, stack: number = STACK.documents): T {
  linearMemory()
  stackPointer!.value = stack
  try {
    return job()
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) {
      for (const map of shelves.map((ref) => ref.deref())) {
        abandoned.push(...(map?.values() ?? []))
        map?.clear()
      }
    }
    throw fromModule(error)
  } finally {
    stackPointer!.value = STACK.documents // for the collector, which frees outside of a call
    new Uint8Array(memory!.buffer, 0, stack).fill(0)
  }
}

/** The same with the module at hand. @internal */
export const call = <T>(job: (module: typeof glue) => T, stack: number = STACK.documents): T =>
  wiped(() => job(glue), stack)

/** 32 bytes of the platform's cryptographic random source. */
export const randomSeed = (): Uint8Array => globalThis.crypto.getRandomValues(new Uint8Array(32))
