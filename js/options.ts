// The options of `createSecondFactor`, and those of `createOperator`.
import type { KeySource, PolicyOption } from './commands.js'
import type { SmsNeverLeft } from './error.js'
import type { Hashing } from './hashing.js'
import type { Limits } from './limits.js'
import type { RevokedSource } from './revoked.js'
import type { Store } from './store.js'
import type * as wasm from './wasm.js'

/** The means that {@link createSecondFactor} needs. */
export interface SecondFactorOptions {
  /**
   * The account's rules, or a function that gives them for a user at every call: those of the user's account, or
   * those of all accounts that the user's one second factor opens.
   */
  policy: PolicyOption
  /** The key ring, from {@link generateKeys}: as object or JSON text. Keep it secret, and out of the database. */
  keys: KeySource
  /** The place where records are kept. */
  store: Store
  /**
   * Hands an SMS to the operator's gateway. Needed where the policy offers SMS. Where it throws, the call ends with
   * `sms_not_sent`; throw {@link SmsNeverLeft} where the message definitely never left.
   *
   * The reply waits for it, because the user must know whether a message is on its way: give it a time limit of your own.
   * It is called after the other functions, and holds up none of them.
   */
  sendSms?: ((message: wasm.SmsMessage) => unknown) | undefined
  /** Tells a user of a change to their account, by a channel that is not this login. No reply waits for it. */
  notify?: ((notice: wasm.Notice) => unknown) | undefined
  /**
   * Keeps passes that a change of factors or a rescue has ended, for the revocation list: see
   * `epochs` in {@link Revoked}. Two of one user may come in either order: keep the greater
   * `epoch`, and the later end. Not needed where the store holds the list. No reply waits for it.
   */
  endPasses?: ((ended: wasm.EndedPasses) => unknown) | undefined
  /**
   * Gives the revocation list: the passes and tickets that you have ended before their time, as after a log-out
   * elsewhere. Not needed where the store holds the list, as `memoryStore` and `sqliteStore` do; it goes before the store's.
   *
   * It is asked once in each call that brings a pass, a ticket or a set-up, at the same time as the `policy` function. `verify`
   * asks again while the record is written. Where it throws, gives something else, or no answer in five seconds, the call ends with `revoked_failed`.
   */
  revoked?: RevokedSource | undefined
  /** Keeps an event for audit. No reply waits for it, and it waits for no other function. */
  onEvent?: ((event: wasm.Event) => unknown) | undefined
  /**
   * A counter over all users. Where it is given, a phone number gets no more set-up messages in a day, from all users
   * together, than one user may send (`sms.perDay`): it counts one more of `key`, and says whether the count within the
   * last `seconds` is at most `max`. The key is a MAC of the number and not the number. When the counter throws or gives
   * no answer in five seconds, no set-up message is sent (`sms_refused`, `count_failed`); logins do not ask it.
   */
  limits?: Limits | undefined
  /** Called when `endPasses`, `notify`, `onEvent` or `limits` fails; the reply is given all the same. Default: a process warning. */
  onEffectError?: ((error: unknown) => unknown) | undefined
  /** Unix seconds. Default: the server's clock. */
  clock?: (() => number) | undefined
  /** 32 random bytes, fresh at every call. Default: the platform's CSPRNG. */
  entropy?: (() => Uint8Array) | undefined
  /**
   * Where the password hashes of backup and recovery codes are computed. `workers`, the default: in worker threads,
   * one fewer than there are processors, and at least one, which all second factors of the process share. They start at first
   * use and do not keep the process alive.
   *
   * `inline`, for a runtime without worker threads: in the thread that serves requests. Each hash holds it for some
   * 25 ms at the default cost, one at a time, with other work in between. It is the default of edge workers, which have no threads.
   */
  hashing?: Hashing | undefined
}

/**
 * The means that `createOperator` needs: the same as the host's `createSecondFactor` has. Everything that
 * `SecondFactorOptions` has is taken.
 */
export interface OperatorOptions {
  /** As in `createSecondFactor`. */
  policy: PolicyOption
  /** As in `createSecondFactor`. */
  keys: KeySource
  /** As in `createSecondFactor`. */
  store: Store
  /** Not used: it is there so that the options of `createSecondFactor` can be handed in as they are. */
  sendSms?: SecondFactorOptions['sendSms']
  /** As in `createSecondFactor`: `moved` and `erased` end passes. */
  endPasses?: SecondFactorOptions['endPasses']
  /** Not used, as `sendSms`. */
  revoked?: SecondFactorOptions['revoked']
  /** Not used, as `sendSms`. */
  limits?: SecondFactorOptions['limits']
  /** As in `createSecondFactor`. User and owners are told of each command. */
  notify?: ((notice: wasm.Notice) => unknown) | undefined
  /** As in `createSecondFactor`. Each command is an event. */
  onEvent?: ((event: wasm.Event) => unknown) | undefined
  /** As in `createSecondFactor`. */
  onEffectError?: ((error: unknown) => unknown) | undefined
  /** As in `createSecondFactor`. */
  clock?: (() => number) | undefined
  /** As in `createSecondFactor`. */
  entropy?: (() => Uint8Array) | undefined
  /** As in `createSecondFactor`, with the same threads. */
  hashing?: Hashing | undefined
}
