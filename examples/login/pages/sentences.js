// The sentence for each reply that a page tells: of a refusal the reason and the next step, of a success what is done.

import { html } from '../html.js'
import { icon } from './icons.js'
import { clockTime, timeLeft } from './times.js'

/** The sentence for a reply that is no success, else undefined. */
export function sentence(reply, context) {
  if (reply === undefined) return undefined
  const { problems } = context.words
  const at = (seconds) => clockTime(seconds, context)
  const waits = (text, seconds) => html`${text(at(seconds))}${timeLeft(seconds, context)}`
  const { retryAt } = reply
  switch (reply.result) {
    case 'wrong':
      return html`${wrong(reply, problems, waits)}${hint(reply, problems)}`
    case 'malformed':
      return malformed(reply, problems)
    case 'already_used':
      return retryAt === undefined ? problems.alreadyUsed : waits(problems.alreadyUsedUntil, retryAt)
    case 'expired':
      return problems.expired
    case 'locked':
      return retryAt === undefined ? problems.locked : waits(problems.lockedUntil, retryAt)
    case 'sms_refused': {
      const texts = problems.smsRefused
      const until = texts[`${reply.reason}Until`] ?? texts[reply.reason]
      if (retryAt !== undefined && typeof until === 'function') return until(at(retryAt))
      return typeof texts[reply.reason] === 'string' ? texts[reply.reason] : texts.budget
    }
    case 'denied':
      if (reply.reason === 'too_often' && retryAt !== undefined) return problems.tooOftenUntil(at(retryAt))
      return problems.reasons[reply.reason] ?? problems.ownReasons[reply.reason] ?? problems.impossible
    case 'wrong_password':
      return problems.wrongPassword
    case 'throttled':
      return waits(problems.throttled, retryAt)
    // A page that has a sentence of its own.
    case 'mistake':
      return reply.sentence
    case 'ended_here':
      return problems.endedHere
    case 'not_found':
      return problems.notFound
    case 'error':
      return reply.path === undefined ? problems.failed : problems.malformed.other
    default:
      return undefined
  }
}

function wrong({ attemptsLeft: left, retryAt }, problems, waits) {
  if (retryAt !== undefined) return waits(problems.wrongUntil, retryAt)
  if (left === undefined) return problems.wrong
  return left === 0 ? problems.wrongAndNoneLeft : problems.wrongAndLeft(left)
}

/** The likely reason: an app's code depends on the phone's clock, which may be slow, and a code of a set may be used. */
function hint({ method, slowBySeconds }, problems) {
  if (slowBySeconds !== undefined) return ` ${problems.clockSlow(Math.max(1, Math.round(slowBySeconds / 60)))}`
  if (method === 'backup_code' || method === 'recovery_code') return ` ${problems.mayBeUsed}`
  return method === 'totp' && ` ${problems.clockHint}`
}

function malformed({ field, kind, digits, problem, about }, { malformed }) {
  if (about !== undefined) return malformed[about]
  if (problem === 'too_short') return malformed.tooShort
  if (problem === 'too_long') return malformed.tooLong
  if (problem !== undefined || field === 'number') return malformed.number
  if (field === 'name') return malformed.name
  if (field !== undefined && field !== 'code') return malformed.other
  return kind === 'grouped' ? malformed.long : malformed.code(digits)
}

/** The sentence for a success that the next page tells, else undefined. */
export function success(reply, { words: { done } }) {
  if (reply?.result === 'logged_out_elsewhere')
    return reply.browsers > 0 ? done.logged_out_and_untrusted : done.logged_out_elsewhere
  const text = done[reply?.result]
  return typeof text === 'function' ? text(reply.factor.name) : text
}

/** The error and its remedy in a sentence; nothing for a success. Fields refer to it by `aria-describedby`. */
export function problem(reply, context) {
  const text = sentence(reply, context)
  return (
    text &&
    html`<div id="problem" class="notice warning screen" role="alert">${icon('warning')}<div>${text}</div></div>`
  )
}

export const isProblem = (reply, context) => sentence(reply, context) !== undefined

/** Whether the error is in the field. */
export function isWrongInput(reply) {
  return ['wrong', 'malformed', 'already_used', 'expired', 'wrong_password'].includes(reply?.result)
}
