// The requests of an interaction: which of them are taken, and what is answered to the others.
//
//   400  no interaction, or one that has ended; a body or field of a wrong form     403  from a page of another site
//   405  an action that is not posted                                              409  an action that the step does not have
import {
  type AdapterRequest,
  answerOfError,
  BadRequest,
  CountersignError,
  isCrossSite,
  readBody,
} from '../../adapter.js'
import { answer, redirection, type StepAnswer } from './answer.js'
import { demandOf } from './demand.js'
import { ACTIONS, type Action, act, begun, type Pending, shown, type Turn } from './interaction.js'
import { judge } from './judgement.js'
import type { ReadOptions } from './options.js'
import { SECOND_FACTOR } from './prompt.js'
import { keptOf } from './session.js'
import { FIELD, type NodeRequest, type OidcInteraction, type OidcProvider, type OidcResult } from './types.js'

/** Shows the step at which the person is. */
export const show = (options: ReadOptions, provider: OidcProvider, req: NodeRequest, res: object) =>
  answered(options, async () => {
    const turn = await turnOf(options, provider, req, res)
    return (await goesOn(turn)) ?? shown(turn, await begun(turn))
  })

/** Carries out what the person posted. `body` is the parsed body; without it the request's is read. */
export const post = (options: ReadOptions, provider: OidcProvider, req: NodeRequest, res: object, body: unknown) =>
  answered(options, async () => {
    const request = requestOf(req, body)
    if (request.method !== 'POST') return answer(405, { result: 'bad_request', message: 'POST it' }, { allow: 'POST' })
    if (isCrossSite(request, options.origins)) return answer(403, { result: 'cross_site' })
    const turn = await turnOf(options, provider, req, res)
    const { action, fields } = actionOf(await request.body())
    const onward = action === 'cancel' ? undefined : await goesOn(turn)
    return onward ?? act(turn, action, fields)
  })

/** The action in a body, with its fields. Only own properties count. */
function actionOf(body: unknown): { action: Action; fields: Record<string, string> } {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new BadRequest(400, 'the body must be an object')
  const given: Record<string, unknown> = Object.assign(Object.create(null), body)
  const { action } = given
  if (typeof action !== 'string' || !Object.hasOwn(ACTIONS, action))
    throw new BadRequest(400, `must be one of ${Object.keys(ACTIONS).join(', ')}`, 'action')
  const fields: Record<string, string> = {}
  for (const named of ACTIONS[action as Action]) {
    const name = named.replace('?', '')
    const [value, isOptional] = [given[name], name !== named]
    // A field of a form that was left empty is one that was left out.
    if (isOptional && (value === undefined || value === '')) continue
    if (typeof value !== 'string') throw new BadRequest(400, 'must be text', name)
    fields[name] = value
  }
  return { action: action as Action, fields }
}

async function turnOf(options: ReadOptions, provider: OidcProvider, req: NodeRequest, res: object): Promise<Turn> {
  const interaction = (await provider.interactionDetails(req, res)) as OidcInteraction<Pending>
  if (interaction.prompt.name !== SECOND_FACTOR) throw new NotHere('the interaction is at another prompt')
  if (interaction.result !== undefined) throw new NotHere('the interaction has ended')
  const session = interaction.session && (await provider.Session.findByUid(interaction.session.uid))
  const accountId = session?.accountId
  if (session === undefined || accountId === undefined) throw new NotHere('the session has ended')
  const latest = async () => {
    const stored = await provider.Interaction.find(interaction.uid)
    if (stored === undefined || stored.result !== undefined) throw new NotHere('the interaction has ended')
  }
  return {
    options,
    interaction,
    uid: session.uid,
    kept: keptOf(session),
    caller: await options.callerOf(accountId),
    ip: options.ip === undefined ? provider.createContext(req, res).ip : options.ip(req),
    demand: demandOf(interaction.params),
    now: Math.floor(Date.now() / 1_000),
    keep: async (pending) => {
      await latest()
      interaction[FIELD] = pending
      await interaction.persist()
    },
    finish: async (result: OidcResult) => {
      await latest()
      return provider.interactionResult(req, res, result)
    },
  }
}

/**
 * Where there is nothing left to ask, the provider judges anew: another tab has done it, the rules have changed, or the log-in is too
 * long ago.
 */
async function goesOn(turn: Turn): Promise<StepAnswer | undefined> {
  const { options, interaction, uid, kept, caller, ip, demand, now } = turn
  if (interaction[FIELD]?.pass !== undefined) return undefined
  const isLoggedIn = interaction.lastSubmission?.login !== undefined
  const judged = {
    uid,
    kept,
    caller,
    ip,
    demand,
    isJustDone: false,
    isDeclined: false,
    isLoggedIn,
    now,
    isAtPrompt: true,
  }
  const { result } = await judge(options, judged)
  return result === 'prompt' ? undefined : redirection(await turn.finish({}))
}

/** A request that no interaction of ours is waiting for. */
class NotHere extends Error {}

/** The answer, also where something threw. */
async function answered(options: ReadOptions, job: () => Promise<StepAnswer>): Promise<StepAnswer> {
  try {
    return await job()
  } catch (error) {
    if (error instanceof BadRequest) return error.answer
    if (error instanceof NotHere) return answer(400, { result: 'no_interaction', message: error.message })
    if (CountersignError.is(error)) {
      if (error.status >= 500) options.onError(error)
      return answerOfError(error)
    }
    // The errors of oidc-provider: an interaction that is over, or of another session.
    const { status, error: code } = Object(error) as { status?: unknown; error?: unknown }
    if (status === 400 && code === 'invalid_request')
      return answer(400, { result: 'no_interaction', message: 'the interaction has ended: begin at the application' })
    options.onError(error)
    return answer(500, { result: 'failed' })
  }
}

/** A request of Node.js in the words of the other adapters. */
function requestOf(req: NodeRequest, body: unknown): AdapterRequest {
  const header = (name: string) => {
    const value = req.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }
  return {
    method: req.method ?? '',
    url: req.url ?? '',
    header,
    body: () => (body === undefined ? readBody(req, header('content-type')) : body),
    ip: undefined,
    setCookie: () => {},
  }
}
