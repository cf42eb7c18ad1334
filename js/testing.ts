/**
 * Helpers for tests: a clock that stands, entropy that repeats, SMS that are kept. Never in production.
 *
 * @packageDocumentation
 */
import { invalid } from './error.js'
import type { SmsMessage } from './wasm.js'
import { linearMemory } from './wasm.js'

/** A clock that moves only when told. */
export interface FixedClock {
  /** The time. */
  (): number
  /** Moves to a time. */
  set(time: number): void
  /** Moves on. */
  advance(seconds: number): void
}

/**
 * A clock that moves only when told. Hand it in as `clock`. Times in unix seconds.
 *
 * @example
 * ```ts
 * import { fixedClock } from 'countersign/testing'
 *
 * export const clock = fixedClock(1_800_000_000)
 * clock.advance(60)
 * ```
 */
export function fixedClock(start = 1_800_000_000): FixedClock {
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

/**
 * Entropy that is the same in every run and different in every call. Hand it in as `entropy`.
 *
 * @example
 * ```ts
 * import { fixedEntropy } from 'countersign/testing'
 *
 * export const entropy = fixedEntropy('my test')
 * ```
 */
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

/** An SMS gateway that sends nothing. */
export interface CapturedSms {
  /** To hand in as `sendSms`. */
  send: (message: SmsMessage) => void
  /** The messages, oldest first. */
  messages: SmsMessage[]
  /** The code of the last message. */
  lastCode(): string | undefined
}

/**
 * An SMS gateway that keeps its messages. Hand `send` in as `sendSms`.
 *
 * @example
 * ```ts
 * import { createSecondFactor, generateKeys, memoryStore } from 'countersign'
 * import { capturedSms } from 'countersign/testing'
 *
 * export const sms = capturedSms()
 * export const secondFactor = createSecondFactor({
 *   policy: { v: 1, name: 'Acme', origin: 'https://acme.example', methods: ['totp', 'sms'] },
 *   keys: generateKeys(),
 *   store: memoryStore(),
 *   sendSms: sms.send,
 * })
 * ```
 */
export function capturedSms(): CapturedSms {
  const messages: SmsMessage[] = []
  return { messages, send: (message) => void messages.push(message), lastCode: () => messages.at(-1)?.template.code }
}

/**
 * The module's linear memory, to look for secrets that should not be in it any more.
 *
 * @example
 * ```ts
 * import { wasmMemory } from 'countersign/testing'
 *
 * export function holds(secret: string): boolean {
 *   return new TextDecoder('latin1').decode(wasmMemory()).includes(secret)
 * }
 * ```
 */
export const wasmMemory = (): Uint8Array => new Uint8Array(linearMemory().buffer)
