// The course of a command: its input is copied, the user's account gives the policy, the store loop
// carries out the step, and the effects follow once the record is stored.
import type {
  BackupCodesReply,
  BeginReply,
  ConfirmReply,
  EnrollSmsReply,
  EnrollTotpReply,
  IssueRecoveryCodeReply,
  RemoveReply,
  ReviewPolicyInput,
  SendSmsReply,
  StatusInput,
  VerifyReply,
} from './commands.js'
import { carryOut, report } from './effects.js'
import { hasherOf, hashing } from './hashing.js'
import { seedOf, systemClock, timeOf } from './host.js'
import {
  anything,
  type Check,
  callable,
  documentText,
  fieldsOf,
  idText,
  listOf,
  optional,
  read,
  shape,
  text,
} from './input.js'
import { heldTo } from './limits.js'
import { policyCache } from './policy-cache.js'
import type { SecondFactor, SecondFactorOptions } from './second-factor.js'
import { load, type RecordId, type Stored, storage } from './store.js'
import { type Hold, type Ran, type Step, storeLoop } from './store-loop.js'
import type * as wasm from './wasm.js'
import { call, randomSeed } from './wasm.js'

/**
 * Makes the second factor of a service.
 *
 * @example
 * ```ts
 * import { createSecondFactor, type SecondFactor, type Store } from 'countersign'
 *
 * export function secondFactorOf(store: Store, keys: string): SecondFactor {
 *   return createSecondFactor({
 *     policy: { v: 1, name: 'Acme', origin: 'https://acme.example' },
 *     keys, // JSON text, as `npx countersign keys` prints it once
 *     store,
 *     onEvent: (event) => console.log(JSON.stringify(event)),
 *   })
 * }
 * ```
 *
 * @throws {@link CountersignError} `invalid_input`, `invalid_policy`, `invalid_keys`, `no_sms` or `no_workers`, with the path.
 */
export function createSecondFactor(options: SecondFactorOptions): SecondFactor {
  const given = read(options, '', {
    policy: anything,
    keys: anything,
    store: storage,
    sendSms: optional(callable),
    notify: optional(callable),
    endPasses: optional(callable),
    onEvent: optional(callable),
    onEffectError: optional(callable),
    limits: optional(callable),
    clock: optional(callable),
    entropy: optional(callable),
    hashing: optional(hashing),
  }) as unknown as SecondFactorOptions
  const { store } = given
  const clock = () => timeOf(given.clock ?? systemClock)
  const entropy = given.entropy ?? randomSeed
  const keys = documentText(given.keys, 'invalid_keys', 'keys')
  const policies = policyCache(given.policy, keys, given.sendSms !== undefined)
  const loop = storeLoop(store, hasherOf(given.hashing ?? 'workers'))
  /** Only set-up messages have a limit over all users. */
  const holdOf = (name: CommandName) =>
    name === 'enroll_sms' && given.limits !== undefined
      ? heldTo(given.limits, (error) => report(error, given))
      : undefined

  /** Runs of one call. A lost race keeps the first race's seed for minted codes, so that their hashes are kept as well. */
  function stepOf(run: (stored: Stored | undefined, now: number, seeds: Seeds, finished: Uint8Array) => Ran): Step {
    let first: Uint8Array | undefined
    return (stored) => {
      const now = clock()
      const seed = seedOf(entropy)
      first ??= seed
      const seeds = { first, seed }
      return (finished) => call(() => run(stored, now, seeds, finished))
    }
  }

  async function run(core: wasm.Core, id: RecordId, ip: string | undefined, command: string, hold?: Hold) {
    const step = stepOf((stored, now, { first, seed }, finished) =>
      core.step(idJson(id), stored?.record, command, now, ip, first, seed, finished),
    )
    return outcomeOf(id, step, hold)
  }

  async function outcomeOf(id: RecordId, step: Step, hold?: Hold): Promise<wasm.Reply> {
    const { reply, effects } = await loop(id, step, hold)
    await carryOut(effects, given)
    return reply
  }

  /** A command about the user in the input. */
  const commandOf =
    <Reply extends wasm.Reply>(name: CommandName) =>
    async (input: unknown): Promise<Reply> => {
      const fields = fieldsOf(input)
      const { id, ip } = callerOf(fields)
      const core = await policies.of(id.account)
      return (await run(core, id, ip, commandText(name, fields), holdOf(name))) as Reply
    }

  /** A command that brings a ticket, which names the user. */
  const ticketCommandOf =
    <Reply extends wasm.Reply>(name: CommandName) =>
    async (input: unknown): Promise<Reply> => {
      const fields = fieldsOf(input)
      const { account, ip } = placeOf(fields)
      const command = commandText(name, fields)
      const core = await policies.of(account)
      const now = clock()
      const owner = call(() => core.ticket_user(account, command, now)) as TicketCheck
      if (owner.result === 'refused') return owner.reply as Reply
      return (await run(core, { account, user: owner.user }, ip, command)) as Reply
    }

  return Object.freeze({
    begin: commandOf<BeginReply>('begin'),
    sendSms: ticketCommandOf<SendSmsReply>('send_sms'),
    verify: ticketCommandOf<VerifyReply>('verify'),
    enrollTotp: commandOf<EnrollTotpReply>('enroll_totp'),
    confirmTotp: commandOf<ConfirmReply>('confirm_totp'),
    enrollSms: commandOf<EnrollSmsReply>('enroll_sms'),
    confirmSms: commandOf<ConfirmReply>('confirm_sms'),
    remove: commandOf<RemoveReply>('remove'),
    renewBackupCodes: commandOf<BackupCodesReply>('renew_backup_codes'),
    showBackupCodes: commandOf<BackupCodesReply>('show_backup_codes'),
    issueRecoveryCode: async (input) => {
      const fields = fieldsOf(input)
      const { id, ip } = callerOf(fields)
      const core = await policies.of(id.account)
      const { by } = read(fields, '', { by: anything })
      const issuer = idText((by as { user?: unknown } | undefined)?.user, 'by.user') as string
      // The issuer's record is only read: it tells whether the issuer's pass still counts.
      const own = await load(store, { account: id.account, user: issuer })
      const question = JSON.stringify(fields)
      const step = stepOf((stored, now, { first, seed }, finished) =>
        core.issue_recovery_code(idJson(id), stored?.record, own?.record, question, now, ip, first, seed, finished),
      )
      return (await outcomeOf(id, step)) as IssueRecoveryCodeReply
    },
    status: async (input) => {
      const id = read(input, '', { user: idText, account: optional(idText) }) as unknown as StatusInput
      const core = await policies.of(id.account)
      const stored = await load(store, id)
      const now = clock()
      return call(() => core.status(idJson(id), stored?.record, now) as wasm.Status)
    },
    check: async (input) => {
      const fields = fieldsOf(input)
      const { id, ip } = callerOf(fields)
      const core = await policies.of(id.account)
      const question = JSON.stringify(fields)
      const asked = clock()
      const reply = call(() => core.check(idJson(id), question, asked, ip) as wasm.CheckReply | undefined)
      if (reply !== undefined) return reply
      const stored = await load(store, id)
      const now = clock()
      return call(() => core.check_record(idJson(id), stored?.record, question, now, ip) as wasm.CheckReply)
    },
    checkPass: async (input) => {
      const fields = fieldsOf(input)
      const id = idOf(fields)
      const core = await policies.of(id.account)
      const now = clock()
      return call(() => core.check_pass(idJson(id), JSON.stringify(fields), now) as wasm.CheckPassReply)
    },
    reviewPolicy: async (input) => {
      const place = { ip: optional(text) }
      const { account, policy, author, users, apiClients } = read(input, '', {
        account: optional(idText),
        policy: anything,
        author: shape({ user: idText, ...place }),
        users: listOf(shape({ user: idText, role: text, ...place })),
        apiClients: optional(listOf(shape({ id: text, ...place }))),
      }) as unknown as ReviewPolicyInput
      const next = documentText(policy, 'invalid_policy', 'policy')
      call((module) => module.policy_check(next))
      const [core, now] = [policies.any(), clock()]
      const people = []
      for (const person of users) {
        const stored = await load(store, { account, user: person.user })
        people.push({
          ...person,
          enrollment: call(() => core.enrollment(next, idJson({ account, user: person.user }), stored?.record, now)),
        })
      }
      const question = { author: author.user, authorIp: author.ip, users: people, apiClients: apiClients ?? [] }
      return call((module) => module.policy_review(next, JSON.stringify(question)) as wasm.Review)
    },
    jwks: () => {
      const core = policies.any()
      return call(() => core.jwks() as wasm.Jwks)
    },
  } satisfies SecondFactor)
}

type CommandName =
  | 'begin'
  | 'send_sms'
  | 'verify'
  | 'enroll_totp'
  | 'confirm_totp'
  | 'enroll_sms'
  | 'confirm_sms'
  | 'remove'
  | 'renew_backup_codes'
  | 'show_backup_codes'

/** The seeds of a race: of the call's first race, and of this one. */
interface Seeds {
  first: Uint8Array
  seed: Uint8Array
}

type TicketCheck = { result: 'valid'; user: string } | { result: 'refused'; reply: wasm.Reply }

/** An id as Rust reads it. */
const idJson = ({ account, user }: RecordId): string => JSON.stringify({ __proto__: null, account, user })

/** A command as Rust reads it. */
const commandText = (name: CommandName, fields: Record<string, unknown>): string =>
  JSON.stringify({ __proto__: null, [name]: fields })

/** Takes a field out, checked. The fields that are left are for Rust. */
function take(fields: Record<string, unknown>, name: string, check: Check): unknown {
  const value = check(fields[name], name)
  delete fields[name]
  return value
}

function idOf(fields: Record<string, unknown>): RecordId {
  const user = take(fields, 'user', idText) as string
  return { account: take(fields, 'account', optional(idText)) as string | undefined, user }
}

function placeOf(fields: Record<string, unknown>) {
  return {
    account: take(fields, 'account', optional(idText)) as string | undefined,
    ip: take(fields, 'ip', optional(text)) as string | undefined,
  }
}

/** The user, the account and the address of a call. */
function callerOf(fields: Record<string, unknown>) {
  const id = idOf(fields)
  return { id, ip: take(fields, 'ip', optional(text)) as string | undefined }
}
