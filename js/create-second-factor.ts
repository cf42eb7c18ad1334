// The course of a command: its input is copied, the user's account gives the policy, the store loop
// carries out the step, and the effects follow once the record is stored.
import type {
  BackupCodesReply,
  BeginReply,
  CheckInput,
  CheckPassInput,
  ConfirmBackupCodesReply,
  ConfirmReply,
  EndSessionsInput,
  EnrollSmsReply,
  EnrollTotpReply,
  IssueRecoveryCodeInput,
  IssueRecoveryCodeReply,
  RemoveReply,
  RemoveTrustedBrowserReply,
  RenameReply,
  ResetInput,
  ResetReply,
  SendSmsReply,
  ShowNewBackupCodesReply,
  ShowTotpSetupReply,
  SignOutInput,
  UserInput,
  VerifyReply,
} from './commands.js'
import { carryOut, endsPasses, report, toBoth } from './effects.js'
import { CountersignError, withoutPath } from './error.js'
import { hasherOf, hashing } from './hashing.js'
import { seedOf, systemClock, timeOf } from './host.js'
import {
  accountId,
  anything,
  type Check,
  callable,
  documentText,
  fieldsOf,
  idText,
  listOf,
  optional,
  read,
  text,
} from './input.js'
import { heldTo } from './limits.js'
import type { SecondFactorOptions } from './options.js'
import { policyCache } from './policy-cache.js'
import { reviewPolicy } from './review-policy.js'
import { revocationList, revokeEpoch, revokeUser } from './revoked.js'
import { registerSealer } from './sealer.js'
import type { SecondFactor } from './second-factor.js'
import { idJson, load, type RecordId, storage } from './store.js'
import { type Extras, type Step, stepsOf, storeLoop } from './store-loop.js'
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
    revoked: optional(callable),
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
  const loop = storeLoop(store, hasherOf(given.hashing))
  const list = revocationList(given)
  /** Only set-up messages have a limit over all users. */
  const holdOf = (name: CommandName) =>
    name === 'enroll_sms' && given.limits !== undefined
      ? heldTo(given.limits, (error) => report(error, given))
      : undefined

  const stepOf = stepsOf(clock, entropy)

  async function run(core: wasm.Core, { id, caller }: Caller, command: string, extras: Extras = {}) {
    const step = stepOf(({ stored, now, first, seed }, finished) =>
      core.step(idJson(id), stored?.record, command, now, caller, first, seed, finished),
    )
    return outcomeOf(core, id, step, extras, (message) => giveBack(core, { id, caller }, message))
  }

  async function outcomeOf(
    core: wasm.Core,
    id: RecordId,
    step: Step,
    extras?: Extras,
    back?: (message: string) => Promise<void>,
  ): Promise<wasm.Reply> {
    const { reply, effects } = await loop(id, step, extras)
    await carryOut(effects, effects.some(endsPasses) ? { ...given, endPasses: toListAndHost(core) } : given, back)
    return reply
  }

  /** Hands ended passes to the list of the store, and to the host. */
  function toListAndHost(core: wasm.Core) {
    const toList =
      list?.revoke &&
      ((ended: wasm.EndedPasses) =>
        revokeEpoch(
          list.revoke!,
          ended,
          call(() => core.seconds_on_list()),
        ))
    return toBoth(toList, given.endPasses)
  }

  /** Gives the slot of a message back. Only `sendSms` leads here: there is no command for it. */
  async function giveBack(core: wasm.Core, { id, caller }: Caller, message: string): Promise<void> {
    const step = stepOf(({ stored, now, seed }) =>
      core.sms_never_left(idJson(id), stored?.record, message, now, caller, seed),
    )
    await outcomeOf(core, id, step)
  }

  /** The part of the revocation list about the session of a call, where there is a list and the call brings a token. */
  function partAbout(id: RecordId, fields: Record<string, unknown>): Promise<string | undefined> | undefined {
    const { session } = fields
    if (list === undefined || typeof session !== 'string' || !TOKENS.some((name) => isToken(fields[name])))
      return undefined
    return list.about({ ...id, session })
  }

  /** The policy of a user, and the part of the revocation list about the session of the call: both are asked at once. */
  const policyAndPart = (id: RecordId, fields: Record<string, unknown>) => {
    const [core, part] = [policies.of(id), partAbout(id, fields)]
    // Where neither waits, no turn of the queue is lost.
    return core instanceof Promise || part !== undefined ? Promise.all([core, part]) : ([core, part] as const)
  }

  /** In place of a token that the host has ended the command gets one that does not open, and replies as to that. */
  function dropRevoked(core: wasm.Core, id: RecordId, fields: Record<string, unknown>, part: string | undefined) {
    if (part === undefined) return
    const now = clock()
    for (const name of TOKENS.filter((token) => isToken(fields[token]))) {
      const [session, token] = [fields.session, fields[name]] as [string, string]
      if (call(() => core.is_revoked(idJson(id), session, token, now, part))) fields[name] = 'revoked'
    }
  }

  /** A command about the user in the input. */
  const commandOf = <Reply extends wasm.Reply>(name: CommandName) =>
    naming(OF_USER, async (input: unknown): Promise<Reply> => {
      const fields = fieldsOf(input)
      const caller = callerOf(fields)
      const [core, part] = await policyAndPart(caller.id, fields)
      const { session, setup } = fields as { session: string; setup: string }
      dropRevoked(core, caller.id, fields, part)
      const reply = (await run(core, caller, commandText(name, fields), { hold: holdOf(name) })) as Reply
      // The session may have ended while its set-up was confirmed, and the pass has another session. The factor counts.
      if (reply.result === 'enrolled' && reply.session !== session) {
        const now = await partAbout(caller.id, fields)
        const isRevoked =
          now !== undefined && call(() => core.is_revoked(idJson(caller.id), session, setup, clock(), now))
        if (isRevoked) return { result: 'expired' } as Reply
      }
      return reply
    })

  /** A command about a user that no client sends: it has no other field, and its reply tells nothing. */
  const hostsWord = (name: CommandName) => async (input: SignOutInput) => {
    const { account, user, ip } = read(input, '', {
      user: idText,
      account: accountId,
      ip: anything,
    }) as unknown as SignOutInput
    await commandOf(name)({ user, account, ip })
    if (name === 'sign_out_everywhere') await listUser({ account, user })
  }

  /** Ends the sessions that have no pass: an epoch ends the others. */
  async function listUser(id: RecordId): Promise<void> {
    if (list?.revoke === undefined) return
    const core = await policies.of(id)
    const seconds = call(() => core.seconds_on_list())
    try {
      await revokeUser(list.revoke, id, clock(), seconds)
    } catch (error) {
      throw new CountersignError('store_failed', 'store.revoke', 'the store could not list the user', error)
    }
  }

  /** A command that brings a ticket, which names the user. */
  const ticketCommandOf = <Reply extends wasm.Reply>(name: CommandName) =>
    naming(OF_PLACE, async (input: unknown): Promise<Reply> => {
      const fields = fieldsOf(input, 'ticket')
      const { account, caller } = placeOf(fields)
      const command = commandText(name, fields)
      const [any, now] = [policies.any(), clock()]
      const owner = call(() => any.ticket_user(account, command, now)) as TicketCheck
      if (owner.result === 'refused') return owner.reply as Reply
      const id = { account, user: owner.user }
      const isRevoked = (core: wasm.Core, part: string | undefined) => {
        const { session, ticket } = fields as { session: string; ticket: string }
        return part !== undefined && call(() => core.is_revoked(idJson(id), session, ticket, now, part))
      }
      // The record and the list are asked at once, before the step and beside its write: each is a round trip otherwise.
      const asked = list === undefined ? undefined : load(store, id)
      asked?.catch(() => {}) // It is told where the record is used.
      const [core, part] = await policyAndPart(id, fields)
      if (isRevoked(core, part)) return TICKET_ENDED as Reply
      // The session may end while its code is verified, and the pass has another session: so the list is asked again.
      let again: Promise<string | undefined> | undefined
      const onWrite = () => {
        again = partAbout(id, fields)
        again?.catch(() => {})
      }
      const reply = (await run(core, { id, caller }, command, {
        asked,
        onWrite: name === 'verify' ? onWrite : undefined,
      })) as Reply
      if (reply.result !== 'verified') return reply
      // A broken connection fails both the write and the question. The write was read back, so the question is asked once more.
      const latest = await again?.catch(() => partAbout(id, fields))
      if (isRevoked(core, latest)) return TICKET_ENDED as Reply
      return reply
    })

  /** A recovery code, or a reset, by an owner of the account. */
  const ownersAct = (isReset: boolean) =>
    naming(OF_USER, async (input: IssueRecoveryCodeInput | ResetInput) => {
      const fields = fieldsOf(input)
      const { id, caller } = callerOf(fields)
      const { by } = read(fields, '', { by: anything })
      const issuer = idText((by as { user?: unknown } | undefined)?.user, 'by.user') as string
      // The issuer's own record tells whether the issuer's pass still counts.
      const beside = { account: id.account, user: issuer }
      const proof = by as Record<string, unknown>
      const [core, part] = await Promise.all([policies.of(id), partAbout(beside, proof)])
      dropRevoked(core, beside, proof, part)
      const question = JSON.stringify(fields)
      const step = stepOf(({ stored, now, first, seed }, finished, own) =>
        core.owner_acts(isReset, idJson(id), stored?.record, own?.record, question, now, caller, first, seed, finished),
      )
      return (await outcomeOf(core, id, step, { beside })) as IssueRecoveryCodeReply & ResetReply
    })

  const secondFactor: SecondFactor = Object.freeze({
    begin: commandOf<BeginReply>('begin'),
    sendSms: ticketCommandOf<SendSmsReply>('send_sms'),
    verify: ticketCommandOf<VerifyReply>('verify'),
    enrollTotp: commandOf<EnrollTotpReply>('enroll_totp'),
    showTotpSetup: commandOf<ShowTotpSetupReply>('show_totp_setup'),
    confirmTotp: commandOf<ConfirmReply>('confirm_totp'),
    enrollSms: commandOf<EnrollSmsReply>('enroll_sms'),
    confirmSms: commandOf<ConfirmReply>('confirm_sms'),
    rename: commandOf<RenameReply>('rename'),
    remove: commandOf<RemoveReply>('remove'),
    removeTrustedBrowser: commandOf<RemoveTrustedBrowserReply>('remove_trusted_browser'),
    renewBackupCodes: commandOf<BackupCodesReply>('renew_backup_codes'),
    showBackupCodes: commandOf<BackupCodesReply>('show_backup_codes'),
    showNewBackupCodes: commandOf<ShowNewBackupCodesReply>('show_new_backup_codes'),
    confirmBackupCodes: commandOf<ConfirmBackupCodesReply>('confirm_backup_codes'),
    issueRecoveryCode: ownersAct(false),
    reset: ownersAct(true),
    status: async (input) => {
      const id = read(input, '', { user: idText, account: accountId }) as unknown as UserInput
      const core = await policies.of(id)
      const stored = await load(store, id)
      const now = clock()
      return call(() => core.status(idJson(id), stored?.record, now) as wasm.Status)
    },
    check: naming(OF_USER, async (input: CheckInput) => {
      const fields = fieldsOf(input)
      const { id, caller } = callerOf(fields)
      const [core, part] = await policyAndPart(id, fields)
      const question = JSON.stringify(fields)
      const asked = clock()
      const reply = call(() => core.check(idJson(id), question, asked, caller, part) as wasm.CheckReply | undefined)
      if (reply !== undefined) return reply
      const stored = await load(store, id)
      const now = clock()
      return call(() => core.check_record(idJson(id), stored?.record, question, now, caller, part) as wasm.CheckReply)
    }),
    checkPass: naming(['user', 'account'], async (input: CheckPassInput) => {
      const fields = fieldsOf(input)
      const id = idOf(fields)
      const [core, part] = await policyAndPart(id, fields)
      const now = clock()
      const { session, pass, maxAge } = fields as { session: string; pass: string; maxAge?: number }
      return call(() =>
        isPlain(fields)
          ? core.check_pass_of(id.account, id.user, session, pass, maxAge, now, part)
          : core.check_pass(idJson(id), JSON.stringify(fields), now, part),
      ) as wasm.CheckPassReply
    }),
    passwordChanged: hostsWord('password_changed'),
    signOutEverywhere: hostsWord('sign_out_everywhere'),
    endSessions: async (input) => {
      const { account, user, sessions } = read(input, '', {
        account: accountId,
        user: idText,
        sessions: listOf(idText),
      }) as unknown as EndSessionsInput
      if (list?.revoke === undefined) {
        const remedy = given.revoked
          ? 'put the sessions on the list that `revoked` gives'
          : 'give a store that has `revoke`'
        throw new CountersignError('no_revoke', 'store', `holds no revocation list: ${remedy}`)
      }
      const core = await policies.of({ account, user })
      const now = clock()
      const until = now + call(() => core.seconds_on_list())
      try {
        await list.revoke({ sessions }, { now, until })
      } catch (error) {
        throw new CountersignError('store_failed', 'store.revoke', 'the store could not list the sessions', error)
      }
    },
    reviewPolicy: (input) => reviewPolicy(input, { keys, store, clock, policies }),
    policyChanged: async (input) => {
      const { account, by, ip, before, after } = read(input, '', {
        account: accountId,
        by: idText,
        ip: optional(text),
        before: anything,
        after: anything,
      })
      const [old, next] = [before, after].map((source, index) =>
        documentText(source, 'invalid_policy', index === 0 ? 'before' : 'after'),
      )
      const now = clock()
      const event = call((module) =>
        module.policy_changed(
          old!,
          next!,
          idJson({ account: account as string | undefined, user: by as string }),
          ip as string | undefined,
          now,
        ),
      ) as wasm.Event
      await carryOut([{ log: event }], given)
      return event
    },
    jwks: () => {
      const core = policies.any()
      return call(() => core.jwks() as wasm.Jwks)
    },
  } satisfies SecondFactor)

  /** No longer than an entry of the list that ends it. */
  const sealedSeconds = (core: wasm.Core, hasPass: boolean) =>
    Math.min(
      hasPass ? LONGEST_SEALED : SEALED_WITHOUT_LIST,
      call(() => core.seconds_on_list()),
    )
  registerSealer(secondFactor, {
    now: clock,
    seal(state, seconds) {
      const [core, now, seed] = [policies.any(), clock(), seedOf(entropy)]
      return call(() => core.seal_session(state, now, seconds, seed))
    },
    open(sealed) {
      const [core, now] = [policies.any(), clock()]
      return call(() => core.open_session(sealed, now))
    },
    secondsOf: (id, hasPass) => {
      if (list === undefined) return SEALED_WITHOUT_LIST
      const core = policies.of(id)
      return core instanceof Promise ? core.then((one) => sealedSeconds(one, hasPass)) : sealedSeconds(core, hasPass)
    },
    hasEnded: async ({ account, user, session }, since) =>
      list !== undefined && (await list.endsTicket({ account, user, session }, since)),
    holdsList: list?.revoke !== undefined,
  })
  return secondFactor
}

/** Seconds of a sealed session that has no pass, or that no list ends before its time: a sign-out everywhere ends passes. */
const SEALED_WITHOUT_LIST = 3_600
/** Seconds of any other, at most. It ends with its entry on the list at the latest. */
const LONGEST_SEALED = 43_200

type CommandName =
  | 'begin'
  | 'send_sms'
  | 'verify'
  | 'enroll_totp'
  | 'show_totp_setup'
  | 'confirm_totp'
  | 'enroll_sms'
  | 'confirm_sms'
  | 'rename'
  | 'remove'
  | 'remove_trusted_browser'
  | 'renew_backup_codes'
  | 'show_backup_codes'
  | 'show_new_backup_codes'
  | 'confirm_backup_codes'
  | 'password_changed'
  | 'sign_out_everywhere'

type TicketCheck = { result: 'valid'; user: string } | { result: 'refused'; reply: wasm.Reply }

/** The fields of a command that are tokens of ours. */
const TOKENS = ['pass', 'ticket', 'setup', 'newCodes']
const isToken = (value: unknown) => typeof value === 'string' && value !== ''

/** Whether the question about a pass needs no document. Rust reads any other, and names what is wrong. */
const isPlain = ({ session, pass, maxAge, ...others }: Record<string, unknown>): boolean =>
  typeof session === 'string' &&
  typeof pass === 'string' &&
  (maxAge === undefined || typeof maxAge === 'number') &&
  Object.keys(others).length === 0

/** The reply to a ticket that the host has ended. */
const TICKET_ENDED: wasm.Reply = { result: 'denied', reason: 'ticket_expired' }

/** A command as Rust reads it. */
const commandText = (name: CommandName, fields: Record<string, unknown>): string =>
  JSON.stringify({ __proto__: null, [name]: fields })

/** Takes a field out, checked. The fields that are left are for Rust. */
function take(fields: Record<string, unknown>, name: string, check: Check): unknown {
  const value = check(fields[name], name)
  delete fields[name]
  return value
}

/** The message about an unknown field: of the module, or of `read`. */
const UNKNOWN_FIELD = /^(unknown field|is not known here), expected one of (.*)$/
/** The fields that {@link placeOf} and {@link callerOf} take out. */
const OF_PLACE = ['account', 'ip', 'roles']
const OF_USER = ['user', ...OF_PLACE]

/** The fields that were taken out are known too: an error about an unknown one lists them before those that were left. */
const naming =
  <Input, Reply>(taken: string[], command: (input: Input) => Promise<Reply>) =>
  async (input: Input): Promise<Reply> => {
    try {
      return await command(input)
    } catch (error) {
      const isOfInput = CountersignError.is(error) && error.code === 'invalid_input' && !/[.[]/.test(error.path)
      const [, fault, left] = (isOfInput && UNKNOWN_FIELD.exec(withoutPath(error))) || []
      if (!isOfInput || fault === undefined) throw error
      const names = taken.map((name) => `\`${name}\``).join(', ')
      throw new CountersignError(error.code, error.path, `${fault}, expected one of ${names}, ${left}`)
    }
  }

function idOf(fields: Record<string, unknown>): RecordId {
  const user = take(fields, 'user', idText) as string
  return { account: take(fields, 'account', accountId) as string | undefined, user }
}

/** Takes the account out, and the circumstances of the call. */
function placeOf(fields: Record<string, unknown>) {
  return { account: take(fields, 'account', accountId) as string | undefined, caller: circumstancesOf(fields) }
}

/** Takes out what the policy's rules look at. It is JSON, which every call of the core that asks the policy needs. */
function circumstancesOf(fields: Record<string, unknown>): string {
  const ip = take(fields, 'ip', optional(text))
  const { roles } = fields
  take(fields, 'roles', optional(listOf(text)))
  return JSON.stringify({ __proto__: null, ip, roles })
}

/** The user of a call, and the circumstances of it as JSON. */
interface Caller {
  id: RecordId
  caller: string
}

function callerOf(fields: Record<string, unknown>): Caller {
  return { id: idOf(fields), caller: circumstancesOf(fields) }
}
