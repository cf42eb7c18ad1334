/**
 * Helpers for tests: a clock that stands, entropy that repeats, SMS that stay here. Never in production.
 *
 * @packageDocumentation
 */
import { invalid } from './error.js'
import type * as wasm from './wasm.js'
import { linearMemory } from './wasm.js'

/** A clock that moves only when told. Hand it in as `clock`. Times in unix seconds. */
export function fixedClock(
  start = 1_800_000_000,
): (() => number) & { set(time: number): void; advance(seconds: number): void } {
  let now = start
  return Object.assign(() => now, {
    set(time: number) {
      now = time
    },
    advance(seconds: number) {
      now += seconds
    },
  })
}

/** Entropy that is the same in every run and different in every call. Hand it in as `entropy`. */
export function fixedEntropy(seed = 'test'): () => Uint8Array {
  if (typeof seed !== 'string') throw invalid('seed', 'must be a string')
  const name = new TextEncoder().encode(seed).slice(0, 28)
  let count = 0
  return () => {
    const bytes = new Uint8Array(32)
    bytes.set(name)
    new DataView(bytes.buffer).setUint32(28, count++)
    return bytes
  }
}

/** An SMS gateway that keeps what it is given. Hand `send` in as `sendSms`. */
export function capturedSms(): {
  send: (message: wasm.SmsMessage) => void
  messages: wasm.SmsMessage[]
  lastCode(): string | undefined
} {
  const messages: wasm.SmsMessage[] = []
  return { messages, send: (message) => void messages.push(message), lastCode: () => messages.at(-1)?.template.code }
}

/** The module's linear memory, to look for secrets that should not be in it any more. */
export const wasmMemory = (): Uint8Array => new Uint8Array(linearMemory().buffer)
