/**
 * The operator's commands: for whoever runs the host, and for no user of it. No other entry of the
 * package, no adapter and no storage API reaches them, so that a request's body cannot either.
 *
 * @packageDocumentation
 */
import type { KeySource, PolicyOption } from './commands.js'
import { carryOut } from './effects.js'
import { type Hashing, hasherOf, hashing } from './hashing.js'
import { systemClock, timeOf } from './host.js'
import { accountId, anything, callable, documentText, idText, optional, read } from './input.js'
import type { SecondFactorOptions } from './options.js'
import { policyCache } from './policy-cache.js'
import { type Store, storage } from './store.js'
import { type Race, type Ran, stepsOf, storeLoop } from './store-loop.js'
import type * as wasm from './wasm.js'
import { randomSeed } from './wasm.js'

export { CountersignError, type ErrorCode, type RuleErrorCode } from './error.js'

/**
 * The means that {@link createOperator} needs: the same as the host's `createSecondFactor` has. Everything that
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
  /** Not used, as `sendSms`. */
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

/** A command of the operator about one user. */
export interface OperatorInput {
  /** The user's account, where the host has accounts. */
  account?: string | undefined
  /** The user. */
  user: string
  /** The name of the person who gives the command, for audit: 1 to 256 bytes without control characters. */
  operator: string
}

/** The operator's commands. */
export interface Operator {
  /**
   * Issues a recovery code: for an owner whom no other owner can help, or for the first owner where
   * everyone needs a second factor. Hand it over only after you have made sure of who asks.
   *
   * @example
   * ```ts
   * import { createOperator, type OperatorOptions } from 'countersign/operator'
   *
   * export async function rescue(options: OperatorOptions, user: string): Promise<string> {
   *   const { code } = await createOperator(options).issueRecoveryCode({ user, operator: 'ticket 4711' })
   *   return code
   * }
   * ```
   */
  issueRecoveryCode(input: OperatorInput): Promise<Extract<wasm.Reply, { result: 'recovery_code' }>>
  /**
   * Withdraws the recovery code that is alive; `expired` where there is none.
   *
   * @example
   * ```ts
   * import { createOperator, type OperatorOptions } from 'countersign/operator'
   *
   * export async function withdraw(options: OperatorOptions, user: string): Promise<boolean> {
   *   const { result } = await createOperator(options).withdrawRecoveryCode({ user, operator: 'ticket 4711' })
   *   return result === 'withdrawn'
   * }
   * ```
   */
  withdrawRecoveryCode(input: OperatorInput): Promise<Extract<wasm.Reply, { result: 'withdrawn' | 'expired' }>>
}

/**
 * Makes the operator's commands. Keep them out of reach of every request.
 *
 * @example
 * ```ts
 * import type { Store } from 'countersign'
 * import { createOperator, type Operator } from 'countersign/operator'
 *
 * export const operatorOf = (store: Store, keys: string): Operator =>
 *   createOperator({ policy: { v: 1, name: 'Acme', origin: 'https://acme.example' }, keys, store, onEvent: console.log })
 * ```
 *
 * @throws {@link CountersignError} `invalid_input`, `invalid_policy`, `invalid_keys` or `no_workers`, with the path.
 */
export function createOperator(options: OperatorOptions): Operator {
  const given = read(options, '', {
    policy: anything,
    keys: anything,
    store: storage,
    sendSms: optional(callable),
    endPasses: optional(callable),
    revoked: optional(callable),
    limits: optional(callable),
    notify: optional(callable),
    onEvent: optional(callable),
    onEffectError: optional(callable),
    clock: optional(callable),
    entropy: optional(callable),
    hashing: optional(hashing),
  }) as unknown as OperatorOptions
  const clock = () => timeOf(given.clock ?? systemClock)
  const entropy = given.entropy ?? randomSeed
  const policies = policyCache(given.policy, documentText(given.keys, 'invalid_keys', 'keys'), true)
  const loop = storeLoop(given.store, hasherOf(given.hashing ?? 'workers'))
  const stepOf = stepsOf(clock, entropy)

  /** Runs a command in one race of its call. */
  type RunIn = (core: wasm.Core, id: string, operator: string, race: Race, finished: Uint8Array) => Ran

  const commandOf =
    <Result extends wasm.Reply['result']>(run: RunIn) =>
    async (input: OperatorInput) => {
      const { account, user, operator } = read(input, '', {
        account: accountId,
        user: idText,
        operator: idText,
      }) as unknown as OperatorInput
      const id = { account, user }
      const core = await policies.of(id)
      const json = JSON.stringify({ __proto__: null, ...id })
      const step = stepOf((race, finished) => run(core, json, operator, race, finished))
      const { reply, effects } = await loop(id, step)
      await carryOut(effects, given)
      return reply as Extract<wasm.Reply, { result: Result }>
    }

  return Object.freeze({
    issueRecoveryCode: commandOf<'recovery_code'>((core, id, operator, { stored, now, first, seed }, finished) =>
      core.operator_issue_recovery_code(id, stored?.record, operator, now, first, seed, finished),
    ),
    withdrawRecoveryCode: commandOf<'withdrawn' | 'expired'>((core, id, operator, { stored, now, seed }) =>
      core.operator_withdraw_recovery_code(id, stored?.record, operator, now, seed),
    ),
  } satisfies Operator)
}
