// The steps of a person at the prompt, kept in the interaction.
//
//   challenge ── verify ──────────────────────────────▶ finished
//       │            └─ by a recovery code ─▶ set_up ─▶
//   set_up ── enroll_… ─▶ confirm ── confirm ─▶ backup_codes ── saved ─▶ finished
//       └── skip, where nothing forces it ────────────▶ finished
//   denied, and any other step ── cancel ─────────────▶ finished, with an error for the client
//
// An interaction ends once: its result is written once, and a request that comes after it is refused.
import { answerOf, CountersignError } from '../../adapter.js'
import type * as wasm from '../../wasm.js'
import { answer, redirection, type StepAnswer } from './answer.js'
import { type Demand, methodsFor } from './demand.js'
import type { Caller, ReadOptions } from './options.js'
import { nameOf, newRotation } from './session.js'
import { FIELD, type KeptInSession, type OidcInteraction, type OidcResult } from './types.js'

/** The state of an interaction between its requests. */
export interface Pending {
  /** Names the session of the tokens in here, together with its `uid`. */
  rotation: string
  /** The challenge. */
  challenge?: { ticket: string; methods: wasm.UsableMethod[] } | undefined
  /** The set-up that is offered, or asked for. */
  setUp?: { methods: wasm.Method[]; ticket?: string | undefined; isForced: boolean } | undefined
  /** The set-up that waits for its code. */
  started?: { method: 'totp' | 'sms'; setup: string; hint?: string; digits?: number } | undefined
  /** The second factor has passed. */
  pass?: string | undefined
  /** Its time, where a set-up is offered behind it. */
  passedAt?: number | undefined
  /** Backup codes that the person has not saved yet. */
  codes?: { newCodes: string; set: string } | undefined
  /** The rule that refuses the person. */
  denied?: wasm.Reason | undefined
}

/** One request of a person at the prompt. */
export interface Turn {
  options: ReadOptions
  interaction: OidcInteraction<Pending>
  uid: string
  kept: KeptInSession
  caller: Caller
  ip: string | undefined
  demand: Demand
  now: number
  /** Writes the state, unless the interaction has ended meanwhile. */
  keep(pending: Pending): Promise<void>
  /** Ends the interaction, and gives the address to go on to. */
  finish(result: OidcResult): Promise<string>
}

/** The fields that each action takes from the client, each a text; those with a `?` may be left out. */
export const ACTIONS = {
  verify: ['method', 'code', 'factor?'],
  send_sms: ['factor?'],
  enroll_totp: [],
  enroll_sms: ['number'],
  confirm: ['code'],
  back: [],
  saved: [],
  skip: [],
  cancel: [],
} as const satisfies Record<string, readonly string[]>

/** An action at the prompt. */
export type Action = keyof typeof ACTIONS

/** The state, begun anew where there is none. */
export async function begun(turn: Turn): Promise<Pending> {
  const { interaction, kept } = turn
  const pending = interaction[FIELD]
  // Another tab has brought the session one step further: what is kept here is of a session by another name.
  const isOfSession = pending?.pass !== undefined || pending?.rotation === kept.rotation
  return pending !== undefined && isOfSession ? pending : begin(turn)
}

async function begin(turn: Turn): Promise<Pending> {
  const { options, uid, kept, caller, ip, demand } = turn
  const { rotation } = kept
  const { user, roles, plan } = caller
  const reply = await options.secondFactor.begin({ ...user, roles, plan, ip, session: nameOf(uid, rotation) })
  const accepted = methodsFor(demand)
  const pending = ((): Pending => {
    switch (reply.result) {
      case 'challenge': {
        const all = reply.methods.filter(({ method }) => method !== 'trusted_browser')
        const best = all.filter(({ method }) => accepted.includes(method))
        // Where the rules ask, and the client would only like it, any method goes on.
        const methods = (isByDemand(turn) || demand.essential) && best.length > 0 ? best : all
        return { rotation, challenge: { ticket: reply.ticket, methods } }
      }
      case 'set_up':
        return { rotation, setUp: { methods: reply.methods, ticket: reply.ticket, isForced: true } }
      case 'allowed':
        return { rotation, setUp: { methods: options.setUp, isForced: demand.essential } }
      case 'denied':
        return { rotation, denied: reply.reason }
    }
  })()
  await turn.keep(pending)
  return pending
}

/** Whether the client, and not the rules, asks. The rules take any method. */
const isByDemand = ({ interaction }: Turn) => !interaction.prompt.reasons.includes('second_factor_required')

/** Whether the person may go on without. */
const mayDecline = (turn: Turn) => turn.interaction.prompt.reasons.includes('acr')

/** Whether the set-up may be left out: behind a pass that the client still takes, or where nothing forces it. */
function maySkip({ demand: { maxAge = 0 }, now }: Turn, { pass, passedAt = now, setUp }: Pending): boolean {
  // The code of the pass may be spent: a log-in that asks for another one would be a dead end, and a set-up brings a new pass.
  if (pass !== undefined) return maxAge === 0 || now - passedAt <= maxAge - WAY_BACK
  return setUp?.isForced === false
}

/** Seconds for the way back to the client, which looks at the age once more. */
const WAY_BACK = 30

/** The page of a state, as values. */
export async function pageOf(turn: Turn, pending: Pending): Promise<Record<string, unknown>> {
  const { options, uid, caller, ip } = turn
  const { secondFactor } = options
  const session = nameOf(uid, pending.rotation)
  const common = { ...caller.user, session, ip, roles: caller.roles }
  const { started, codes, pass, setUp, challenge, denied } = pending
  if (codes !== undefined && pass !== undefined) {
    const reply = await secondFactor.showNewBackupCodes({ ...common, pass, newCodes: codes.newCodes })
    const shown = reply.result === 'backup_codes' ? reply.codes.map(({ code }) => code) : []
    return { step: 'backup_codes', codes: shown }
  }
  if (started !== undefined) {
    const { method, setup, hint, digits } = started
    if (method === 'sms') return { step: 'confirm', method, hint, digits }
    const reply = await secondFactor.showTotpSetup({ ...common, setup })
    if (reply.result === 'totp_started') {
      const { qrSvg, secret, uri, digits } = reply
      return { step: 'confirm', method, qrSvg, secret, uri, digits }
    }
  }
  if (setUp !== undefined) return { step: 'set_up', methods: setUp.methods, maySkip: maySkip(turn, pending) }
  if (challenge !== undefined) return { step: 'challenge', methods: challenge.methods, maySkip: mayDecline(turn) }
  return { step: 'denied', reason: denied }
}

/** The answer that shows a state, after the reply to an action where there was one. */
export async function shown(turn: Turn, pending: Pending, reply?: wasm.Reply): Promise<StepAnswer> {
  const page = await pageOf(turn, pending)
  if (reply === undefined) return answer(page.step === 'denied' ? 403 : 200, page)
  const { status, headers, body } = answerOf(reply, turn.now)
  const { backupCodes: _codes, setup: _setup, newCodes: _newCodes, ...told } = body ?? {}
  return answer(status, { ...page, reply: told }, headers)
}

/** Carries out an action. */
export async function act(turn: Turn, action: Action, fields: Record<string, string>): Promise<StepAnswer> {
  const pending = await begun(turn)
  const { secondFactor } = turn.options
  const { uid, caller, ip } = turn
  const { user, plan } = caller
  const { account } = user
  const session = nameOf(uid, pending.rotation)
  const common = { ...user, session, ip, roles: caller.roles }
  const next = newRotation()
  const newSession = nameOf(uid, next)
  const { challenge, setUp, started, pass } = pending
  const notNow = () =>
    answer(409, { result: 'not_now', message: `there is nothing to ${action.replace('_', ' ')} at this step` })

  switch (action) {
    case 'verify': {
      if (challenge === undefined) return notNow()
      const { method, code, factor } = fields as { method: wasm.Method; code: string; factor?: string }
      if (!challenge.methods.some((offered) => offered.method === method))
        return shown(turn, pending, { result: 'malformed', field: 'method', expected: 'a method of the challenge' })
      const reply = await secondFactor.verify({
        account,
        ip,
        roles: caller.roles,
        ticket: challenge.ticket,
        session,
        newSession,
        method,
        code,
        factor,
      })
      if (reply.result === 'denied' && CHALLENGE_OVER.includes(reply.reason))
        return shown(turn, await begin(turn), reply)
      if (reply.result !== 'verified') return shown(turn, pending, reply)
      const { set, newCodes } = reply
      const passed: Pending = { rotation: next, pass: reply.pass }
      if (set !== undefined && newCodes !== undefined) return showsCodes(turn, passed, { set, newCodes }, reply)
      if (!reply.enroll) return done(turn, passed)
      const offered: Pending = {
        ...passed,
        passedAt: turn.now,
        setUp: { methods: turn.options.setUp, isForced: false },
      }
      await turn.keep(offered)
      return shown(turn, offered, reply)
    }
    case 'send_sms': {
      if (challenge === undefined) return notNow()
      const reply = await secondFactor.sendSms({
        account,
        ip,
        roles: caller.roles,
        ticket: challenge.ticket,
        session,
        factor: fields.factor,
      })
      if (reply.result === 'denied' && CHALLENGE_OVER.includes(reply.reason))
        return shown(turn, await begin(turn), reply)
      return shown(turn, pending, reply)
    }
    case 'enroll_totp': {
      if (setUp === undefined) return notNow()
      const reply = await secondFactor.enrollTotp({ ...common, plan, pass, ticket: setUp.ticket, label: caller.label })
      tellOfSetUp(turn, pending, 'totp', reply)
      if (reply.result !== 'totp_started') return refused(turn, pending, reply)
      return starts(turn, { ...pending, started: { method: 'totp', setup: reply.setup } })
    }
    case 'enroll_sms': {
      if (setUp === undefined) return notNow()
      const reply = await secondFactor.enrollSms({
        ...common,
        plan,
        pass,
        ticket: setUp.ticket,
        number: fields.number as string,
      })
      tellOfSetUp(turn, pending, 'sms', reply)
      if (reply.result !== 'sms_sent') return refused(turn, pending, reply)
      const { setup, hint, digits } = reply
      return starts(turn, { ...pending, started: { method: 'sms', setup, hint, digits } })
    }
    case 'confirm': {
      if (started === undefined) return notNow()
      const confirm = started.method === 'totp' ? secondFactor.confirmTotp : secondFactor.confirmSms
      const reply = await confirm({ ...common, newSession, setup: started.setup, code: fields.code as string })
      if (reply.result === 'expired' || reply.result === 'denied')
        return refused(turn, { ...pending, started: undefined }, reply)
      if (reply.result !== 'enrolled') return shown(turn, pending, reply)
      const { set, newCodes } = reply
      const passed: Pending = { rotation: next, pass: reply.pass }
      if (set === undefined || newCodes === undefined) return done(turn, passed)
      return showsCodes(turn, passed, { set, newCodes }, reply)
    }
    case 'back': {
      if (started === undefined) return notNow()
      return starts(turn, { ...pending, started: undefined })
    }
    case 'saved': {
      const { codes } = pending
      if (codes === undefined || pass === undefined) return notNow()
      await secondFactor.confirmBackupCodes({ ...common, pass, set: codes.set })
      return done(turn, pending)
    }
    case 'skip': {
      if (pass !== undefined && setUp !== undefined)
        return maySkip(turn, pending) ? done(turn, pending) : shown(turn, pending)
      if (!mayDecline(turn)) return notNow()
      return redirection(await turn.finish({ second_factor: { declined: true } }))
    }
    case 'cancel': {
      const isUnmet = turn.interaction.prompt.reasons.includes('essential_acr')
      const error = isUnmet ? 'unmet_authentication_requirements' : 'access_denied'
      return redirection(await turn.finish({ error, error_description: 'the person gave no second factor' }))
    }
  }
}

/** The reasons after which the same set-up can only be begun again. */
const TICKET_OVER: wasm.Reason[] = ['ticket_expired', 'ticket_invalid', 'other_session']

/** The reasons after which the same challenge can only be begun again: its ticket is over, or the factor is gone. */
const CHALLENGE_OVER: wasm.Reason[] = [...TICKET_OVER, 'not_enrolled', 'method_not_offered', 'recovery_code_required']

/** The host's `setUp` offers a factor that its rules do not have: no person can mend that. */
function tellOfSetUp({ options }: Turn, { setUp }: Pending, method: 'totp' | 'sms', reply: wasm.Reply): void {
  // With a ticket the rules have named the factors.
  if (reply.result !== 'denied' || reply.reason !== 'method_not_offered' || setUp?.ticket !== undefined) return
  const message = `offers \`${method}\`, which the rules of the account do not have: leave it out`
  options.onError(new CountersignError('invalid_input', 'setUp', message))
}

/** A set-up that is not to be had. Where it is over, the user may have a factor by now, and the prompt begins again. */
async function refused(turn: Turn, pending: Pending, reply: wasm.Reply): Promise<StepAnswer> {
  const isOver =
    reply.result === 'expired' ||
    (reply.result === 'denied' && [...TICKET_OVER, 'fresh_factor_required'].includes(reply.reason))
  // A pass that is here already is kept: its recovery code is spent.
  if (isOver && pending.pass === undefined) return shown(turn, await begin(turn), reply)
  await turn.keep(pending)
  return shown(turn, pending, reply)
}

async function starts(turn: Turn, pending: Pending): Promise<StepAnswer> {
  await turn.keep(pending)
  return shown(turn, pending)
}

/** The person sees new backup codes before going on. */
async function showsCodes(turn: Turn, passed: Pending, codes: { newCodes: string; set: string }, reply: wasm.Reply) {
  const pending: Pending = { ...passed, codes }
  await turn.keep(pending)
  return shown(turn, pending, reply)
}

/** The second factor has passed: on to the client. */
async function done(turn: Turn, { rotation, pass }: Pending): Promise<StepAnswer> {
  return redirection(await turn.finish({ second_factor: { passed: { rotation, pass: pass as string } } }))
}
