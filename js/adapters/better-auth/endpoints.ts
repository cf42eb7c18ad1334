// The endpoints of the plugin: an endpoint for each action of the core, in the manner of better-auth.
import { APIError, createAuthEndpoint, getSessionFromCtx } from 'better-auth/api'
import type { Adapter, AdapterAnswer } from '../../adapter.js'
import { type PassRules, stepUpChallenge } from '../../adapter.js'
import type { SecondStepReason } from '../../index.js'
import type { SecondFactorActions } from '../better-auth-client.js'
import { codeOf } from './challenge.js'
import { refuseUnproven } from './enrollment.js'
import { readHalfWay } from './half-way.js'
import { PATH } from './path.js'
import { type AuthPlace, placeOf } from './place.js'
import { requestOf } from './request.js'
import { checkSession, type Means, storedSession, toApiError, tokenOf } from './sessions.js'
import type { AuthSession, AuthSessionAndUser, AuthUser, EndpointContext } from './types.js'

/** The parts of the plugin that an endpoint needs. They are there once better-auth has started. */
export type Started = () => { means: Means; adapter: Adapter }

/** An endpoint, as `auth.api` has it. It rejects with an `APIError` of better-auth, whose `body` has the `result`. */
export interface AuthEndpoint<Body, Data> {
  (call: { body?: Body; headers: Headers; asResponse: true }): Promise<Response>
  (call: { body?: Body; headers: Headers; returnHeaders: true }): Promise<{ headers: Headers; response: Data }>
  (call: { body?: Body; headers: Headers }): Promise<Data>
  /** Its method. */
  options: { method: 'GET' | 'POST' }
  /** Its path under better-auth's. */
  path: string
}

/** The data of an answer of the client, when the call went well. */
export type DataOf<Given> = Extract<Awaited<Given>, { error: null }> extends { data: infer Data } ? Data : never

/** The endpoints, by their names in `auth.api`: `secondFactorVerify`, and so on. */
export type SecondFactorEndpoints = {
  [Name in keyof SecondFactorActions as `secondFactor${Capitalize<Name>}`]: AuthEndpoint<
    Parameters<SecondFactorActions[Name]>[0],
    DataOf<ReturnType<SecondFactorActions[Name]>>
  >
} & { requireSecondFactor: AuthEndpoint<PassRules, ProvenSession> }

/** The endpoints. */
export function endpointsOf(started: Started): SecondFactorEndpoints {
  const endpoints = {
    ...Object.fromEntries(ACTIONS.map((name) => [apiName(name), actionEndpoint(started, name, 'POST')])),
    ...Object.fromEntries(READS.map((name) => [apiName(name), actionEndpoint(started, name, 'GET')])),
    secondFactorSignOutEverywhere: createAuthEndpoint(`${PATH}/sign-out-everywhere`, POST, (endpoint) =>
      signOutEverywhere(started, endpoint),
    ),
    requireSecondFactor: createAuthEndpoint.serverOnly({ ...POST, body: ANYTHING, requireHeaders: true }, (endpoint) =>
      required(started, endpoint),
    ),
  }
  return endpoints as unknown as SecondFactorEndpoints
}

/** The actions of the core that change something. */
const ACTIONS = [
  'verify',
  'send-sms',
  'again',
  'log-out',
  'enroll-totp',
  'show-totp-setup',
  'confirm-totp',
  'enroll-sms',
  'confirm-sms',
  'rename',
  'remove',
  'remove-trusted-browser',
  'renew-backup-codes',
  'show-backup-codes',
  'show-new-backup-codes',
  'confirm-backup-codes',
  'issue-recovery-code',
  'reset',
] as const
/** Those that read. */
const READS = ['state', 'status'] as const

/** `enroll-totp` is `auth.api.secondFactorEnrollTotp`. */
export const apiName = (name: string): string =>
  `secondFactor-${name}`.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

/** The body is read by the core, which answers each mistake with its status. */
const ANYTHING = {
  '~standard': { version: 1, vendor: 'countersign', validate: (value: unknown) => ({ value }) },
}
const POST = { method: 'POST', metadata: { noStore: true } }

function actionEndpoint(started: Started, name: string, method: 'GET' | 'POST') {
  const body = method === 'POST' ? { body: ANYTHING } : {}
  return createAuthEndpoint(`${PATH}/${name}`, { ...POST, method, ...body }, async (endpoint) => {
    const { means, adapter } = started()
    const place = placeOf(means, endpoint)
    await refuseUnproven(means, endpoint, name, async () => place.read())
    const answer = await adapter.act({ ...requestOf(means, endpoint), place }, name)
    if (name === 'reset' && answer.status === 200) await endSessionsOf(endpoint)
    return answered(endpoint, answer, place)
  })
}

/** Somebody else may have the sessions of a user who was reset. */
const endSessionsOf = ({ body, context }: EndpointContext) =>
  context.internalAdapter.deleteUserSessions((body as { user: string }).user)

/** The answer, with what better-auth's own ways in bring: the user, the token of the session, and the page to go on with. */
function answered(
  endpoint: EndpointContext,
  { status, headers, body = {} }: AdapterAnswer,
  place?: AuthPlace,
): unknown {
  if (status >= 400) {
    const { reason, result } = body as { reason?: string; result: string }
    throw new APIError(status, { code: codeOf(reason ?? result), message: messageOf(body), ...body }, headers)
  }
  for (const [name, value] of Object.entries(headers)) endpoint.setHeader(name, value)
  const begun = place?.begun()
  if (begun === undefined) return body
  const { session, user, next } = begun
  return { ...body, token: session.token, user: shownUser(user), ...(next ? { redirect: true, url: next } : {}) }
}

const shownUser = ({ id, email, name, image }: AuthUser) => ({ id, email, name, image })

const messageOf = ({ message, result, reason }: Record<string, unknown>) =>
  typeof message === 'string' ? message : `the second factor was refused: ${String(reason ?? result)}`

async function signOutEverywhere(started: Started, endpoint: EndpointContext): Promise<unknown> {
  const { means } = started()
  const found = await getSessionFromCtx(endpoint, { disableCookieCache: true })
  if (!found) throw new APIError(401, { code: 'LOG_IN_FIRST', message: 'log in first' })
  const { user } = found
  const account = await means.accountOf(user)
  await means.secondFactor.signOutEverywhere({ account, user: user.id, ip: means.ipOf(endpoint.headers) })
  await endpoint.context.internalAdapter.deleteUserSessions(user.id)
  return { result: 'signed_out_everywhere' }
}

/** A person whose second factor the rules take. */
export interface ProvenSession {
  /** The session. */
  session: AuthSession
  /** The user. */
  user: AuthUser
  /** The method of the second factor, where there was one. */
  method?: string | undefined
  /** Its time, in unix seconds. */
  authTime?: number | undefined
}

const required = (started: Started, endpoint: EndpointContext): Promise<ProvenSession> =>
  proven(started().means, endpoint, (endpoint.body ?? {}) as PassRules)

/** The session of a request, if the rules take its second factor; else an error with the answer. */
export async function proven(means: Means, endpoint: EndpointContext, rules: PassRules): Promise<ProvenSession> {
  const found = (await getSessionFromCtx(endpoint, { disableCookieCache: true })) ?? (await refused(endpoint))
  if (!found) {
    if ((await readHalfWay(endpoint)) !== undefined) throw secondStepError({ reason: 'no_pass' }, rules)
    throw new APIError(401, { code: 'LOG_IN_FIRST', result: 'log_in_first', message: 'log in first' })
  }
  const marked = (await storedSession(endpoint.context, found.session.token)) ?? found
  const reply = await checkSession(means, marked, rules).catch(toApiError)
  switch (reply.result) {
    case 'in':
      return { ...found, method: reply.method, authTime: reply.authTime }
    case 'second_step':
      throw secondStepError(reply, rules)
    case 'denied':
      throw new APIError(403, { code: codeOf(reply.reason), ...reply, message: 'the rules refuse it' })
  }
}

/** The session of a request that lacks a second factor alone: the answer says so. */
async function refused(endpoint: EndpointContext): Promise<AuthSessionAndUser | undefined> {
  const token = await tokenOf(endpoint)
  const stored = token === undefined ? undefined : await storedSession(endpoint.context, token)
  return stored && stored.session.expiresAt.getTime() > Date.now() ? stored : undefined
}

const secondStepError = ({ reason }: { reason: SecondStepReason }, rules: PassRules) =>
  new APIError(
    401,
    {
      code: 'SECOND_STEP',
      result: 'second_step',
      reason,
      maxAge: rules.maxAge,
      message: 'a second factor is required',
    },
    { 'www-authenticate': stepUpChallenge(rules) },
  )
