// The one instance of the module for browsers, and the one way to call into it.
import init, { type InitOutput } from '../target/browser/countersign.js'
import { fromModule } from './error.js'

let memory: WebAssembly.Memory | undefined
let stackPointer: WebAssembly.Global<'i32'> | undefined
let stackTop = 0

/** Makes the instance. */
export async function start(module: WebAssembly.Module): Promise<void> {
  const made = (await init({ module_or_path: module })) as InitOutput & { __stack_pointer: WebAssembly.Global<'i32'> }
  memory = made.memory
  stackPointer = made.__stack_pointer
  stackTop = stackPointer.value // of an instance that nobody has called
}

/**
 * Runs a job that calls into the module. Its errors become ours; afterwards the stack, at the bottom of memory, is wiped,
 * and is given back where the module trapped.
 */
export function wiped<T>(job: () => T): T {
  try {
    return job()
  } catch (error) {
    throw fromModule(error)
  } finally {
    stackPointer!.value = stackTop
    new Uint8Array(memory!.buffer, 0, stackTop).fill(0)
  }
}
