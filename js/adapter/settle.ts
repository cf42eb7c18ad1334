// The end of each call: the state that its reply brings is kept, and then the reply is answered.
import type * as wasm from '../wasm.js'
import type { StatusReply } from './actions.js'
import { type AdapterAnswer, answer, answerOf } from './answer.js'
import { keepBrowserSecret } from './browser-cookie.js'
import type { Login } from './login.js'
import { afterReply, type LoginAfter } from './login-after.js'
import { userOf, type Visit } from './means.js'
import type { HostUser, ReadOptions } from './options.js'

/** Keeps a state, under a new id of the session where it has one. */
export async function keep({ place }: Visit, { login, isNewSession }: LoginAfter): Promise<void> {
  await (isNewSession ? place.begin(login) : place.write(login))
}

/** Puts a session on the revocation list, where the store holds one: copies of its cookie open nothing then. */
export async function endSession({ secondFactor, sealer }: ReadOptions, login: Login): Promise<void> {
  const { account, user, session } = login
  if (sealer.holdsList) await secondFactor.endSessions({ account, user, sessions: [session] })
}

/** The user whom a state lets in, where the one before it did not. */
export const enteredBy = (after: LoginAfter | undefined): HostUser | undefined =>
  after?.isNewSession && after.login.state === 'in' ? userOf(after.login) : undefined

/** Keeps what the reply to a command brings, and answers it. */
export async function settle(
  options: ReadOptions,
  visit: Visit,
  login: Login,
  reply: wasm.Reply | StatusReply,
): Promise<AdapterAnswer> {
  if (reply.result === 'status') return answer(200, { ...reply })
  const { sealer, onError } = options
  const after = afterReply(reply, login, sealer.now())
  if (after !== undefined) await keep(visit, after)
  // The session goes on under another id. A list that fails does not undo that.
  if (after?.isNewSession && login.state === 'in') await endSession(options, login).catch(onError)
  if (reply.result === 'verified' && reply.browser) keepBrowserSecret(options, visit, reply.browser)
  return { ...answerOf(reply, sealer.now()), entered: enteredBy(after) }
}
