// The prompt `second_factor`, between log-in and consent, and the checks of the log-in that a second factor can answer.
//
// The checks run at each authorization request and after each interaction. The first of them brings the session up to date: a log-in
// begins anew, and the result of our own interaction moves to the session.
import { CountersignError } from '../../adapter.js'
import { type Demand, demandOf, UnreadableDemand } from './demand.js'
import { type Judgement, judge, type PromptReason } from './judgement.js'
import type { ReadOptions } from './options.js'
import { afterLogin, keptOf } from './session.js'
import {
  FIELD,
  type KeptInSession,
  type OidcCheck,
  type OidcContext,
  type OidcPolicy,
  type OidcResult,
  type OidcSession,
} from './types.js'

/** The name of the prompt. */
export const SECOND_FACTOR = 'second_factor'

/** The checks of the prompt: the reason, its text, the error of `prompt=none`. */
const CHECKS: [PromptReason, string, string][] = [
  ['denied', 'the rules of the account refuse it', 'access_denied'],
  ['second_factor_required', 'a second factor is required', 'login_required'],
  ['essential_acr', 'the requested strength of the log-in needs a second factor', 'login_required'],
  ['acr', 'the requested strength of the log-in needs a second factor', 'login_required'],
  ['second_factor_too_old', 'the second factor is longer ago than max_age', 'login_required'],
]

/** The adapter's own functions, which the prompt calls. */
export interface PromptListener {
  /** A provider has read the prompt: it is made with this policy. oidc-provider shows its policy to nobody. */
  onRead(): void
  /** An authorization request has begun, before anything else of it is judged. */
  onRequest(): void
}

/** Adds the prompt to a policy, which is changed. */
export function addPrompt(policy: OidcPolicy, options: ReadOptions, { onRead, onRequest }: PromptListener): OidcPolicy {
  const { Check, Prompt } = options.oidc.interactionPolicy
  const judgementOf = judgements(options)

  const checks: OidcCheck[] = CHECKS.map(
    ([reason, description, error]) =>
      new Check(reason, description, error, async (ctx) => {
        const judgement = await judgementOf(ctx)
        return reasonOf(judgement) === reason
      }),
  )

  const login = policy.findIndex(({ name }) => name === 'login')
  const { checks: ofLogin } = policy[login] ?? noLogin()
  // The judgement answers these: another log-in is no stronger, and a second factor is an act as well.
  for (const reason of ['essential_acr', 'essential_acrs', 'max_age']) ofLogin.remove(reason)
  ofLogin.add(
    new Check('log_in_again', 'another log-in is required', 'login_required', async (ctx) => {
      onRequest()
      // Where the client asks for the log-in, what the session can reach is judged after that.
      if (ctx.oidc.session?.accountId === undefined || ctx.oidc.promptPending('login')) return false
      return (await judgementOf(ctx)).result === 'log_in'
    }),
  )
  const prompt = new Prompt({ name: SECOND_FACTOR }, ...checks)
  Object.defineProperty(prompt, 'requestable', {
    enumerable: true,
    get: () => {
      onRead()
      return false
    },
  })
  policy.add(prompt, login + 1)
  return policy
}

function noLogin(): never {
  throw new CountersignError(
    'invalid_input',
    'interactions.policy',
    'has no prompt `login`, after which this one comes',
  )
}

/** The reason of a prompt. Whoever should log in first is asked for that by another prompt, and is never let in by this one. */
function reasonOf(judgement: Judgement): PromptReason | undefined {
  switch (judgement.result) {
    case 'met':
      return undefined
    case 'prompt':
      return judgement.reason
    case 'log_in':
    case 'unmet':
      return 'second_factor_required'
  }
}

/** The judgement on a request, made once. */
function judgements(options: ReadOptions): (ctx: OidcContext) => Promise<Judgement> {
  const made = new WeakMap<OidcContext, Promise<Judgement>>()
  return (ctx) => {
    const known = made.get(ctx) ?? inItsErrors(options, () => judgeRequest(options, ctx))
    made.set(ctx, known)
    return known
  }
}

const UNMET = {
  acr: 'the requested acr cannot be reached',
  max_age: 'the log-in is longer ago than max_age',
}

async function judgeRequest(options: ReadOptions, ctx: OidcContext): Promise<Judgement> {
  const { params = {}, result } = ctx.oidc
  const session = ctx.oidc.session as OidcSession & { accountId: string }
  const now = Math.floor(Date.now() / 1_000)
  const kept = bringUpToDate(ctx, session, now)
  const demand: Demand = demandOf(params)
  const done = result?.second_factor // as it is after that
  const judgement = await judge(options, {
    uid: session.uid,
    kept,
    caller: await options.callerOf(session.accountId),
    ip: options.ip === undefined ? ctx.ip : options.ip(ctx.req),
    demand,
    isJustDone: done?.isDone === true,
    isDeclined: done?.declined === true,
    isLoggedIn: result?.login !== undefined,
    now,
    isAtPrompt: false,
  })
  if (judgement.result === 'unmet') throw new options.oidc.errors.UnmetAuthenticationRequirements(UNMET[judgement.what])
  // The client is told the strength of now, and not that of the time when the session began.
  const { acr, amr } = judgement.result === 'met' ? judgement : kept
  session.acr = acr
  session.amr = amr
  if (judgement.result === 'met') setAuthTime(session, { ...kept, at: judgement.authTime })
  return judgement
}

/** Moves what the last interaction brought to the session. */
function bringUpToDate(ctx: OidcContext, session: OidcSession, now: number): KeptInSession {
  const { result, entities } = ctx.oidc
  const finished = entities.Interaction
  let kept = keptOf(session)
  if (finished !== undefined && result?.login !== undefined && isNewLogin(finished, result.login))
    kept = afterLogin(result.login, now)
  const passed = result?.second_factor?.passed
  if (finished?.prompt.name === SECOND_FACTOR && passed !== undefined) {
    kept = { ...kept, ...passed }
    // The results of later interactions bring this one again, when the session may have a younger pass.
    Object.assign(result as OidcResult, { second_factor: { isDone: true } })
  }
  setAuthTime(session, kept)
  return kept
}

/** oidc-provider takes the end of each interaction after a log-in for the log-in itself, the consent included. */
function setAuthTime(session: OidcSession, kept: KeptInSession): void {
  session[FIELD] = kept
  session.loginTs = kept.at
}

/** Whether the log-in is of the interaction that has ended, and not of one before it. */
const isNewLogin = (
  { prompt, lastSubmission }: { prompt: { name: string }; lastSubmission?: { login?: unknown } | undefined },
  login: unknown,
) => prompt.name === 'login' || JSON.stringify(lastSubmission?.login) !== JSON.stringify(login)

/** Errors of ours in the words of oidc-provider, which tells them to the client. */
async function inItsErrors<T>({ oidc }: ReadOptions, job: () => Promise<T>): Promise<T> {
  try {
    return await job()
  } catch (error) {
    if (error instanceof UnreadableDemand) throw new oidc.errors.InvalidRequest(error.message)
    if (CountersignError.is(error) && error.status === 503)
      throw new oidc.errors.TemporarilyUnavailable('try again in a moment')
    throw error
  }
}
