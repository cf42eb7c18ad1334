// Answers for people without scripts: a request that opens a page is sent to a page of the host's. A redirection never lets anybody in.
import type { AdapterAnswer } from './answer.js'
import { redirection } from './answer.js'
import type { ReadPages } from './options.js'

/** The page that follows a result, with the reason, and the path to which the person wanted to go. */
export function pageAfter(pages: ReadPages, answer: AdapterAnswer, next: unknown): AdapterAnswer {
  const { body } = answer
  const { result, reason, maxAge, state } = (body ?? {}) as Shown
  const path = ownPath(next)
  const to = (page: string, parts: Record<string, unknown>) => redirection(withQuery(page, { ...parts, next: path }))
  // Backup codes are shown once, in this answer: a redirection would lose them.
  if (body?.backupCodes !== undefined) return answer
  switch (result) {
    case 'allowed':
    case 'verified':
    case 'enrolled':
      return redirection(path ?? pages.home)
    case 'logged_out':
      return redirection(pages.login)
    case 'challenge':
      return to(pages.secondStep, {})
    case 'set_up':
      return to(pages.setUp, {})
    case 'second_step':
      return to(state === 'set_up' ? pages.setUp : pages.secondStep, { reason, max_age: maxAge })
    case 'log_in_first':
      return to(pages.login, { reason: result })
    case 'denied':
      return to(pages.login, { reason })
    case 'wrong':
    case 'malformed':
    case 'already_used':
    case 'expired':
    case 'locked':
    case 'sms_sent':
    case 'sms_refused':
      return to(pages.secondStep, { reason: result })
    default:
      return answer
  }
}

/** The parts of a body by which a page is chosen. */
interface Shown {
  result?: string
  reason?: string
  maxAge?: number
  state?: string
}

/** A page with more in its query. */
function withQuery(page: string, parts: Record<string, unknown>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parts)) if (value !== undefined) query.set(name, String(value))
  const text = query.toString()
  return text === '' ? page : `${page}${page.includes('?') ? '&' : '?'}${text}`
}

/**
 * A path of this site, and nothing else. Browsers read `\` as `/`, drop control characters, and take what stands after `//` for a host;
 * a proxy may decode a path on its way. So only characters that mean themselves everywhere are taken.
 */
export function ownPath(next: unknown): string | undefined {
  if (typeof next !== 'string' || next.length > 1_000) return undefined
  if (!/^\/(?![/\\])[\w\-./~?&=+%:@,;!$'()*]*$/.test(next)) return undefined
  if (leadsAway(next)) return undefined
  const { host, pathname, search } = new URL(next, 'https://here.invalid')
  // Without its dot segments a path may be another one.
  return host === 'here.invalid' && !leadsAway(pathname) ? pathname + search : undefined
}

/** Whether a path may be read as that of another host, as it is or decoded. */
function leadsAway(path: string): boolean {
  try {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers drop tabs and line breaks from an address
    const pattern = /^\/\s*[/\\]|[\\\u0000-\u001f\u007f]/
    return pattern.test(path) || pattern.test(decodeURIComponent(path))
  } catch {
    return true
  }
}
