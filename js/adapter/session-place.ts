// The places where a login is kept between requests: a session of the host's, or a sealed text of ours.
//
// The sealed text is a `__Host-` cookie; or a value in a header, for native clients and other sites. Each text carries a
// random session id and an end. A copy of it opens the same until it ends: an hour after the login at most, or until a log-out where
// the store holds a revocation list, which is asked then.
import { CountersignError } from '../error.js'
import type { Sealer } from '../sealer.js'
import { cookieOf, expiredCookie, setCookieText } from './cookies.js'
import { type Login, loginOf, loginToText } from './login.js'
import type { AdapterRequest } from './request.js'

/** The place of one request's login. */
export interface SessionPlace {
  /** The login that is kept, or nobody. */
  read(): Login | undefined | Promise<Login | undefined>
  /** Keeps a login under an id that no request has had; nothing of the session before stays under the new id but what the host keeps. */
  begin(login: Login): void | Promise<void>
  /** Keeps a login under the same id. */
  write(login: Login): void | Promise<void>
  /** Ends the session. */
  end(): void | Promise<void>
}

/** The name of the cookie of an adapter without a name. The prefix keeps other hosts of the domain from setting it (RFC 6265bis §4.1.3.2). */
export const SESSION_COOKIE = '__Host-countersign'
/** The header in which a client without cookies brings the value. */
export const SESSION_HEADER = 'countersign-session'

/** The logins of one adapter in a place that other adapters may use as well. */
export const placeOfAdapter = (name: string | undefined, place: SessionPlace): SessionPlace => ({
  read: async () => {
    const login = await place.read()
    return login?.adapter === name ? login : undefined
  },
  begin: (login) => place.begin({ ...login, adapter: name }),
  write: (login) => place.write({ ...login, adapter: name }),
  end: () => place.end(),
})

/** A login in a sealed cookie. */
export function cookiePlace(sealer: Sealer, request: AdapterRequest, cookie: string): SessionPlace {
  const keep = async (login: Login) => {
    const seconds = await secondsLeft(sealer, login)
    request.setCookie(setCookieText(cookie, sealed(sealer, login, seconds), seconds))
  }
  return {
    read: () => opened(sealer, cookieOf(request.header('cookie'), cookie)),
    begin: keep,
    write: keep,
    end: () => request.setCookie(expiredCookie(cookie)),
  }
}

/** A login in a sealed value, which the client keeps and the answer brings. */
export interface ValuePlace extends SessionPlace {
  /** The value from now on: `null` where the session ended, and `undefined` where the client's own still holds. */
  value(): string | null | undefined
}

/** A login in a value. `given` is the client's, where it brings one. */
export function valuePlace(sealer: Sealer, given: string | undefined): ValuePlace {
  let now: string | null | undefined
  const keep = async (login: Login) => {
    now = sealed(sealer, login, await secondsLeft(sealer, login))
  }
  return {
    read: () => opened(sealer, given),
    begin: keep,
    write: keep,
    end: () => {
      now = null
    },
    value: () => now,
  }
}

/** Seals a login. The methods of a challenge may be too long for a cookie: asking for it again tells them. */
function sealed(sealer: Sealer, login: Login, seconds: number): string {
  const challenge = login.state === 'set_up' ? undefined : login.challenge
  const text = sealedIfShort(sealer, login, seconds)
  if (text !== undefined) return text
  const short = challenge && ({ ...login, challenge: { ...challenge, methods: [] } } as Login)
  const shortText = short && sealedIfShort(sealer, short, seconds)
  if (shortText !== undefined) return shortText
  throw new CountersignError(
    'no_session',
    'session',
    'the ids of account and user are too long for a cookie: keep sessions on the server',
  )
}

function sealedIfShort(sealer: Sealer, login: Login, seconds: number): string | undefined {
  try {
    return sealer.seal(loginToText(login), seconds)
  } catch (error) {
    if (CountersignError.is(error) && error.code === 'too_long') return undefined
    throw error
  }
}

/** The login in a sealed text. */
const opened = (sealer: Sealer, text: string | undefined): Login | undefined =>
  text === undefined ? undefined : loginOf(sealer.open(text))

/** Seconds until the text ends. A change within a login does not make it longer; one that comes when it has ended opens nothing. */
async function secondsLeft(sealer: Sealer, login: Login): Promise<number> {
  const hasPass = login.state === 'in' && login.pass !== undefined
  return Math.max(0, login.since + (await sealer.secondsOf(login, hasPass)) - sealer.now())
}
