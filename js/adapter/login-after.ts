// The state of a login after a reply, as drawn in login.ts.
import type { ReplyOf } from '../commands.js'
import type * as wasm from '../wasm.js'
import type { Login, LoginOf } from './login.js'

/** A state to keep, and whether its session has another id than the one before. */
export interface LoginAfter {
  login: Login
  isNewSession: boolean
}

/** A random id of a session: 128 bits. */
export function newSessionId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The state after the first factor, and whenever a challenge is asked for again; nothing where the rules refuse the user. */
export function afterBegin(
  reply: ReplyOf<'allowed' | 'challenge' | 'set_up' | 'denied'>,
  before: Login | LoginOf,
  now: number,
): LoginAfter | undefined {
  const of = loginOf(before)
  const isIn = 'state' in before && before.state === 'in'
  switch (reply.result) {
    case 'allowed':
      return isIn
        ? { login: { ...before, challenge: undefined }, isNewSession: false }
        : { login: { ...of, session: newSessionId(), since: now, state: 'in' }, isNewSession: true }
    case 'challenge': {
      const challenge = { ticket: reply.ticket, methods: reply.methods }
      return isIn
        ? { login: { ...before, challenge }, isNewSession: false }
        : { login: { ...of, state: 'first_factor', challenge }, isNewSession: false }
    }
    case 'set_up':
      return {
        login: { ...of, state: 'set_up', ticket: reply.ticket, methods: reply.methods },
        isNewSession: false,
      }
    case 'denied':
      return undefined
  }
}

/** The state after any other reply; nothing where it stays. */
export function afterReply(reply: wasm.Reply, before: Login, now: number): LoginAfter | undefined {
  switch (reply.result) {
    case 'verified':
      return entered(before, reply, now)
    case 'enrolled':
      return reply.session === before.session ? passed(before, reply.pass) : entered(before, reply, now)
    case 'removed':
    case 'backup_codes':
      return passed(before, reply.pass)
    case 'allowed':
    case 'challenge':
    case 'set_up':
    case 'denied':
      return undefined
    case 'sms_sent':
    case 'sms_refused':
    case 'wrong':
    case 'malformed':
    case 'already_used':
    case 'locked':
    case 'expired':
    case 'totp_started':
    case 'renamed':
    case 'trusted_browser_removed':
    case 'confirmed':
    case 'moved':
    case 'ended':
    case 'move_changed':
    case 'recovery_code':
    case 'withdrawn':
    case 'imported':
    case 'unchanged':
    case 'refused':
      return undefined
  }
}

/** In, by a second factor, under the session id of its pass. */
function entered(before: Login, { session, pass }: { session: string; pass: string }, now: number): LoginAfter {
  return { login: { ...loginOf(before), session, since: now, state: 'in', pass }, isNewSession: true }
}

/** The same session with the pass of a change. */
function passed(before: Login, pass: string | undefined): LoginAfter | undefined {
  if (pass === undefined) return undefined
  return { login: { ...loginOf(before), state: 'in', pass }, isNewSession: false }
}

const loginOf = ({ account, user, session, since }: LoginOf): LoginOf => ({ account, user, session, since })
