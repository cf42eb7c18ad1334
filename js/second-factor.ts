import { carryOut } from './effects.js'
import { CountersignError, guarded, invalid } from './error.js'
import { anything, callable, documentText, listOf, optional, read, shape, text, whole } from './input.js'
import { load, type Store, type Stored, save, storage } from './stores.js'
import type * as wasm from './wasm.js'
import { call, randomSeed, shelf } from './wasm.js'

/** A policy, as object or as JSON text. */
export type PolicySource = wasm.PolicyDocument | string

/** What {@link createSecondFactor} needs. */
export interface SecondFactorOptions {
  /** The account's rules, or a function that gives those of an account at every call. */
  policy: PolicySource | ((account: string | undefined) => PolicySource | Promise<PolicySource>)
  /** The key ring, from {@link generateKeys}: as object or JSON text. Keep it secret, and out of the database. */
  keys: wasm.Keys | string
  /** Where records are kept. */
  store: Store
  /** Hands an SMS to the operator's gateway. Needed where the policy offers SMS. */
  sendSms?: (message: wasm.SmsMessage) => unknown
  /** Tells a user what was done to their account, by a channel that is not this login. */
  notify?: (notice: wasm.Notice) => unknown
  /** Keeps an event for audit. */
  onEvent?: (event: wasm.Event) => unknown
  /** Called when `notify` or `onEvent` fails; the reply is given all the same. Default: a process warning. */
  onEffectError?: (error: unknown) => unknown
  /** Unix seconds. Default: the server's clock. */
  clock?: () => number
  /** 32 random bytes, fresh at every call. Default: the platform's CSPRNG. */
  entropy?: () => Uint8Array
}

type Result<R extends wasm.Reply['result']> = Extract<wasm.Reply, { result: R }>
type CodeReply = Result<'wrong' | 'malformed' | 'locked' | 'expired' | 'denied'>

interface Account {
  /** Handed to the `policy` function. */
  account?: string
}
interface From {
  /** The client's address as text. Needed where the policy has rules about addresses. */
  ip?: string | undefined
}
interface Session {
  /** User id, 1 to 256 bytes. */
  user: string
  /** The host's id of the logged-in session. */
  session: string
}
interface Proof {
  /** A pass of this user and session whose factor is at most `freshSeconds` old. */
  pass?: string | undefined
}
interface Plan {
  /** The account's plan, where the policy names plans. */
  plan?: string | undefined
}

/** The second factor of all users of a service. Every method takes one object. */
export interface SecondFactor {
  /** After the first factor: may this user come in, and by what? Changes nothing in the record. */
  begin(
    input: Session & From & Plan & Account & { channel?: wasm.Channel },
  ): Promise<Result<'allowed' | 'challenge' | 'denied'>>
  /** Sends a login code, or a new one; the old one dies. */
  sendSms(
    input: { ticket: string; session: string } & From & Account,
  ): Promise<Result<'sms_sent' | 'sms_refused' | 'denied'>>
  /** The second step. On `verified`, change the session id: hand the new one in as `newSession`, or use the one in the reply. */
  verify(
    input: { ticket: string; session: string; newSession?: string; method: wasm.Method; code: string } & From & Account,
  ): Promise<Result<'verified'> | CodeReply>
  /** Begins to set up an authenticator app; `label` is shown in it beside the service's name. */
  enrollTotp(
    input: Session & Proof & Plan & From & Account & { label: string },
  ): Promise<Result<'totp_started' | 'denied'>>
  /** Turns the app on with a code from it. On the first factor the reply has the backup codes. */
  confirmTotp(input: Session & From & Account & { code: string }): Promise<Result<'enrolled'> | CodeReply>
  /** Begins to set up a phone, or sends its code again. `number` in E.164 form. */
  enrollSms(
    input: Session & Proof & Plan & From & Account & { number: string },
  ): Promise<Result<'sms_sent' | 'sms_refused' | 'denied'>>
  /** Turns the phone on with the code sent to it. */
  confirmSms(input: Session & From & Account & { code: string }): Promise<Result<'enrolled'> | CodeReply>
  /** Removes a factor; with the last one that can be used, all the rest goes too. */
  remove(input: Session & Proof & From & Account & { method: 'totp' | 'sms' }): Promise<Result<'removed' | 'denied'>>
  /** New backup codes; the old ones die. */
  renewBackupCodes(input: Session & Proof & From & Account): Promise<Result<'backup_codes' | 'denied'>>
  /** The backup codes once more, where the policy keeps a copy. */
  showBackupCodes(input: Session & Proof & From & Account): Promise<Result<'backup_codes' | 'denied'>>
  /** A recovery code for `user`, issued by an owner who is someone else. */
  issueRecoveryCode(
    input: { user: string; by: Session & Proof & { role: wasm.Role } } & From & Account,
  ): Promise<Result<'recovery_code' | 'denied'>>
  /** A user's second factor at a glance, without secrets. */
  status(input: { user: string } & Account): Promise<wasm.Status>
  /** Whether a pass is good for this user and session; no storage is asked. `maxAge` in seconds since the factor was shown. */
  checkPass(
    input: Session & Account & { pass: string; maxAge?: number; methods?: wasm.Method[] },
  ): Promise<wasm.PassCheck>
  /** Whom a policy would lock out, before it is switched on. */
  reviewPolicy(input: {
    policy: PolicySource
    author: { user: string; ip?: string | undefined }
    users: { user: string; role: wasm.Role; ip?: string | undefined }[]
    apiClients?: { id: string; ip?: string | undefined }[]
  }): Promise<wasm.Review>
  /** The public keys of passes as a JWK set, for other verifiers. */
  jwks(): Promise<wasm.Jwks>
}

/** Writers that may win the race before we give up. */
const MAX_RACES = 100
const PATIENCE_MS = 10_000
/** Policies kept compiled. */
const MAX_POLICIES = 64

const session = { user: text, session: text }
const context = { account: optional(text), ip: optional(text) }
const proof = { pass: optional(text) }
const plan = { plan: optional(text) }

/**
 * Makes the second factor of a service.
 *
 * @throws {@link CountersignError} `invalid_input`, `invalid_policy` or `invalid_keys`, with the path.
 */
export async function createSecondFactor(options: SecondFactorOptions): Promise<SecondFactor> {
  const given = read(options, '', {
    policy: anything,
    keys: anything,
    store: storage,
    sendSms: optional(callable),
    notify: optional(callable),
    onEvent: optional(callable),
    onEffectError: optional(callable),
    clock: optional(callable),
    entropy: optional(callable),
  }) as unknown as SecondFactorOptions
  const { store } = given
  const clock = () => timeOf(given.clock ?? systemClock)
  const entropy = given.entropy ?? randomSeed
  const cores = compiler(documentText(given.keys, 'invalid_keys', 'keys'))
  const writes = writesUnderWay()
  const inLine = lines()

  const coreOf = async (account: unknown) => {
    const { policy } = given
    if (fixed !== undefined) return fixed
    let source: unknown
    if (typeof policy === 'function') {
      try {
        source = await policy(account as string | undefined)
      } catch (error) {
        throw new CountersignError('invalid_policy', 'policy', 'could not be read: the function threw', error)
      }
    }
    return withGateway(cores(documentText(source, 'invalid_policy', 'policy')))
  }
  const withGateway = (core: wasm.Core) => {
    if (given.sendSms === undefined && call(() => core.offers_sms())) {
      throw new CountersignError(
        'no_sms',
        'sendSms',
        'the policy offers sms: give createSecondFactor a sendSms function',
      )
    }
    return core
  }
  // A wrong policy or key is told at the start, not at the first login; and a policy that does not
  // change is compiled once.
  const anyPolicy = () => cores(JSON.stringify({ v: 1, name: 'x', origin: 'https://x.example' }))
  const fixed =
    typeof given.policy === 'function'
      ? void anyPolicy()
      : withGateway(cores(documentText(given.policy, 'invalid_policy', 'policy')))

  /** Load, step, save; and only when that landed, the reply and the effects. */
  async function run(
    user: string,
    account: unknown,
    ip: unknown,
    name: string,
    fields: Record<string, unknown>,
  ): Promise<wasm.Reply> {
    const core = await coreOf(account)
    const command = JSON.stringify({ [name]: fields })
    const step = (stored: Stored | undefined) => {
      const now = clock()
      const seed = seedOf(entropy)
      return call(() => core.step(user, stored?.record, command, now, ip as string | undefined, seed))
    }
    const { reply, effects } = (await race(user, step, false)) ?? (await inLine(user, () => race(user, step, true)))!
    await carryOut(effects, given)
    return reply
  }

  /** `undefined`: it met a write under way, and was not to wait for it. */
  async function race(user: string, step: (stored: Stored | undefined) => wasm.PendingStep, waits: boolean) {
    for (let races = 0; races < MAX_RACES; ) {
      const stored = await load(store, user)
      const write = writes.of(user)
      if (write !== undefined) {
        if (!waits) return undefined
        await write
        continue
      }
      races += 1
      const pending = step(stored)
      let landed = false
      try {
        const record = call(() => pending.to_store())
        landed = record === undefined || (await writes.add(user, save(store, user, record, stored?.version)))
        if (landed) return call(() => pending.stored() as { reply: wasm.Reply; effects: wasm.Effect[] })
      } finally {
        // A reply that did not happen is wiped at once.
        if (!landed) call(() => pending.free())
      }
    }
    throw new CountersignError('conflict', 'store', 'other writers were faster each time; try again')
  }

  /** A command of a logged-in session: user from the input, the rest to the rules. */
  const commandOf =
    (name: string, fields: Parameters<typeof read>[2]) =>
    async (input: unknown): Promise<any> => {
      const { user, account, ip, ...rest } = read(input, '', { ...session, ...context, ...fields })
      return run(user as string, account, ip, name, rest)
    }

  /** A command that brings a ticket: the ticket says whose record it is about. */
  const ticketCommandOf =
    (name: string, fields: Parameters<typeof read>[2]) =>
    async (input: unknown): Promise<any> => {
      const { account, ip, newSession, ...rest } = read(input, '', {
        ticket: text,
        session: text,
        ...context,
        ...fields,
      })
      const core = await coreOf(account)
      const now = clock()
      const owner = call(() => core.ticket_user(rest['ticket'] as string, rest['session'] as string, now)) as
        | { result: 'valid'; user: string }
        | { result: 'refused'; reason: wasm.TokenError }
      if (owner.result === 'refused') {
        return { result: 'denied', reason: owner.reason === 'expired' ? 'ticket_expired' : 'ticket_invalid' }
      }
      return run(owner.user, account, ip, name, newSession === undefined ? rest : { ...rest, newSession })
    }

  return Object.freeze({
    begin: commandOf('begin', {
      ...plan,
      channel: (value, path) => (value === undefined || value === null ? 'web' : text(value, path)),
    }),
    sendSms: ticketCommandOf('send_sms', {}),
    verify: ticketCommandOf('verify', { newSession: optional(text), method: text, code: text }),
    enrollTotp: commandOf('enroll_totp', { ...proof, ...plan, label: text }),
    confirmTotp: commandOf('confirm_totp', { code: text }),
    enrollSms: commandOf('enroll_sms', { ...proof, ...plan, number: text }),
    confirmSms: commandOf('confirm_sms', { code: text }),
    remove: commandOf('remove', { ...proof, method: text }),
    renewBackupCodes: commandOf('renew_backup_codes', proof),
    showBackupCodes: commandOf('show_backup_codes', proof),
    issueRecoveryCode: async (input) => {
      const by = shape({ ...session, ...proof, role: text })
      const { user, account, ip, ...rest } = read(input, '', { user: text, by, ...context })
      return run(user as string, account, ip, 'issue_recovery_code', rest) as Promise<any>
    },
    status: async (input) => {
      const { user, account } = read(input, '', { user: text, account: optional(text) }) as {
        user: string
        account?: string
      }
      const core = await coreOf(account)
      const stored = await load(store, user)
      const now = clock()
      return call(() => core.status(user, stored?.record, now) as wasm.Status)
    },
    checkPass: async (input) => {
      const { account, ...question } = read(input, '', {
        ...session,
        account: optional(text),
        pass: text,
        maxAge: optional(whole),
        methods: optional(listOf(text)),
      })
      const core = await coreOf(account)
      const now = clock()
      return call(() => core.check_pass(JSON.stringify(question), now) as wasm.PassCheck)
    },
    reviewPolicy: async (input) => {
      const place = { ip: optional(text) }
      const { policy, author, users, apiClients } = read(input, '', {
        policy: anything,
        author: shape({ user: text, ...place }),
        users: listOf(shape({ user: text, role: text, ...place })),
        apiClients: optional(listOf(shape({ id: text, ...place }))),
      }) as {
        policy: unknown
        author: { user: string; ip?: string }
        users: { user: string }[]
        apiClients?: unknown[]
      }
      const next = documentText(policy, 'invalid_policy', 'policy')
      call((module) => module.policy_check(next))
      const [core, now] = [anyPolicy(), clock()]
      const people = []
      for (const person of users) {
        const stored = await load(store, person.user)
        people.push({
          ...person,
          enrollment: call(() => core.enrollment(next, person.user, stored?.record, now)),
        })
      }
      const question = { author: author.user, authorIp: author.ip, users: people, apiClients: apiClients ?? [] }
      return call((module) => module.policy_review(next, JSON.stringify(question)) as wasm.Review)
    },
    jwks: async () => {
      const core = anyPolicy()
      return call(() => core.jwks() as wasm.Jwks)
    },
  } satisfies SecondFactor)
}

/** Policies by their text, compiled once each. */
function compiler(keys: string) {
  const compiled = shelf()
  return (policy: string): wasm.Core => {
    const known = compiled.get(policy)
    if (known) {
      // Back to the end: the one not used longest falls out first.
      compiled.delete(policy)
      compiled.set(policy, known)
      return known
    }
    const core = call((module) => new module.Core(policy, keys))
    // A call may still hold one that falls out: the collector frees it, not we.
    if (compiled.size >= MAX_POLICIES) compiled.delete(compiled.keys().next().value!)
    compiled.set(policy, core)
    return core
  }
}

/**
 * No step of a user is computed while another waits for its write. Not for correctness, which
 * compare-and-set gives across all processes, but so that many calls at once do not hash in vain.
 */
function writesUnderWay() {
  const writes = new Map<string, Promise<void>>()
  return {
    /** The write under way for this user: the end of it, or of the patience with it. */
    of: (user: string) => writes.get(user),
    /** The result of a write that is under way from now on. */
    add<T>(user: string, write: Promise<T>): Promise<T> {
      const end = settledOrLate(write).then(() => {
        if (writes.get(user) === end) writes.delete(user)
      })
      writes.set(user, end)
      return write
    },
  }
}

/** Those who met a write, one after the other for each user: or each end of a write would make all of them load. */
function lines() {
  const tails = new Map<string, Promise<unknown>>()
  return async <T>(user: string, job: () => Promise<T>): Promise<T> => {
    const before = tails.get(user)
    const turn = before === undefined ? job() : settledOrLate(before).then(job)
    const tail = turn.catch(() => undefined)
    tails.set(user, tail)
    try {
      return await turn
    } finally {
      if (tails.get(user) === tail) tails.delete(user)
    }
  }
}

/** A store may hang. */
function settledOrLate(job: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS)
    const settled = () => {
      clearTimeout(timer)
      resolve()
    }
    job.then(settled, settled)
  })
}

const systemClock = () => Math.floor(Date.now() / 1000)

function timeOf(clock: () => number): number {
  return whole(guarded('invalid_input', 'clock', 'threw', clock), 'clock') as number
}

function seedOf(entropy: () => Uint8Array): Uint8Array {
  return guarded('invalid_input', 'entropy', 'must give a Uint8Array of 32 random bytes', () => {
    const seed = entropy()
    if (!(seed instanceof Uint8Array) || seed.length !== 32)
      throw invalid('entropy', 'must give a Uint8Array of 32 random bytes')
    return new Uint8Array(seed)
  })
}
