// The one instance of the module for browsers, and the one way to call into it.
import init, { type InitOutput } from '../target/browser/countersign.js'
import { CountersignError, fromModule } from './error.js'

let memory: WebAssembly.Memory | undefined
let stackPointer: WebAssembly.Global<'i32'> | undefined

/** The parts of the module that a page uses. */
const CALLED = ['memory', '__stack_pointer', '__wbindgen_start', 'otpauth_format', 'otpauth_parse', 'qr']

/** Makes the instance. */
export async function start(module: WebAssembly.Module): Promise<void> {
  // The glue keeps any instance that it could make, and would give it to a second try.
  const names = WebAssembly.Module.exports(module).map(({ name }) => name)
  if (!CALLED.every((name) => names.includes(name)))
    throw new CountersignError('not_loaded', '', 'the WebAssembly is another one than `countersign.wasm`')
  const made = (await init({ module_or_path: module })) as InitOutput & { __stack_pointer: WebAssembly.Global<'i32'> }
  memory = made.memory
  stackPointer = made.__stack_pointer
}

/**
 * Runs a job that calls into the module. Its errors become ours; afterwards the stack, at the bottom of memory, is wiped,
 * and is given back where the module trapped.
 */
export function wiped<T>(job: () => T): T {
  const free = stackPointer!.value
  try {
    return job()
  } catch (error) {
    throw fromModule(error)
  } finally {
    stackPointer!.value = free
    new Uint8Array(memory!.buffer, 0, free).fill(0)
  }
}
