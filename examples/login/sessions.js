// Sessions: a random id in the cookie, only its SHA-256 in the database.
//
// `proof` is the proof that a session has shown so far:
//   password   the first factor only: admits to the second step, or to the set-up of a first factor, and to nothing else
//   allowed    the policy asked for no second factor
//   verified   a second factor; `pass` proves it
//
// `pending` holds what the session is in the middle of. It is sealed in the database:
//   challenge  the second step that is asked for
//   setUp      the set-up of a first factor, where the login leads there
//   setUps     the set-ups that were begun, one a method
//   newCodes   backup codes that the person has not yet saved, as the engine sealed them
//   arrival    what the first page after a login tells
//   said       replies that a page is to tell, by the id in its address
//   shown      what pages show, by name, such as the draft of a policy
// `next` is the path to go to after the second factor.
//
// Each transaction takes the lock first (`immediate`): one that reads before it writes would fail beside another process.

import { createHash, randomBytes } from 'node:crypto'
import { seal, unseal } from './sealed.js'

const lifetimeSeconds = { web: 12 * 3600, api: 3600 }

/** The replies that are kept: enough for a few tabs, and for the Back button. */
const mostSaid = 8

/**
 * `revoke` gets the ids of sessions whose passes and tickets end here and at Envoy. It gives a promise that they are on the list, and
 * sees to those that are not.
 */
export function createSessions(db, clock, revoke) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS login_sessions (
      id TEXT PRIMARY KEY,
      principal TEXT NOT NULL,
      channel TEXT NOT NULL,
      proof TEXT NOT NULL,
      pass TEXT,
      handed_out INTEGER NOT NULL,
      pending BLOB NOT NULL,
      next TEXT NOT NULL,
      form_token TEXT NOT NULL,
      ip TEXT NOT NULL,
      browser TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS login_sessions_by_end ON login_sessions (expires_at);
    CREATE INDEX IF NOT EXISTS login_sessions_of ON login_sessions (principal);
    DROP TABLE IF EXISTS sessions`)

  const insert = db.prepare(`INSERT INTO login_sessions VALUES
    (@id, @principal, @channel, @proof, @pass, @handedOut, @pending, @next, @formToken, @ip, @browser, @now, @now, @expiresAt)`)
  const select = db.prepare('SELECT * FROM login_sessions WHERE id = ? AND expires_at > ?')
  const listOf = db.prepare(`SELECT id, ip, browser, started_at, seen_at FROM login_sessions
    WHERE principal = ? AND proof <> 'password' AND channel = 'web' AND expires_at > ? ORDER BY seen_at DESC, started_at DESC LIMIT 50`)
  const remove = removal('id = @id')
  const removeExpired = removal('expires_at <= @now')
  const removeOthers = removal('principal = @principal AND id <> @id')
  const updatePass = db.prepare("UPDATE login_sessions SET proof = 'verified', pass = ? WHERE id = ?")
  const updatePending = db.prepare(
    'UPDATE login_sessions SET pending = ?, handed_out = max(handed_out, ?) WHERE id = ?',
  )
  const updateNext = db.prepare('UPDATE login_sessions SET next = ? WHERE id = ?')
  const updateSeen = db.prepare('UPDATE login_sessions SET seen_at = ?, ip = ? WHERE id = ?')

  /** The secret of each session that was found, by which its pending parts are sealed. It stands in no object that could be logged. */
  const secrets = new WeakMap()

  /**
   * Removes sessions; every end of a session goes through here. Envoy checks passes without asking for
   * sessions, so ended ones are put on the revocation list, which it fetches. A session whose ticket was handed out
   * is listed as well, because Envoy can turn the ticket into a pass.
   */
  function removal(condition) {
    const listed = db
      .prepare(`SELECT id FROM login_sessions WHERE ${condition} AND (pass IS NOT NULL OR handed_out = 1)`)
      .pluck()
    const remove = db.prepare(`DELETE FROM login_sessions WHERE ${condition}`)
    return db.transaction((given) => {
      // Where the list is in this database, it writes at once, and so within the transaction.
      const isListed = revoke(listed.all(given))
      return { count: remove.run(given).changes, isListed }
    }).immediate
  }

  /** `ends` is an earlier end: of a session that is useless after it, of which there may be very many, or of the one before it. */
  function start(
    fresh,
    {
      principal,
      channel,
      proof,
      ip,
      browser,
      pass = null,
      handedOut = false,
      pending = {},
      next = '/',
      ends = undefined,
    },
  ) {
    const now = clock()
    removeExpired({ now })
    insert.run({
      id: fresh.id,
      principal,
      channel,
      proof,
      pass,
      handedOut: handedOut ? 1 : 0,
      pending: seal(fresh.secret, fresh.id, pending),
      next,
      formToken: randomBytes(32).toString('base64url'),
      ip,
      browser,
      now,
      expiresAt: ends ?? now + lifetimeSeconds[channel],
    })
  }

  function find(secret, channel) {
    const row = select.get(idOf(secret), clock())
    if (row === undefined || row.channel !== channel) return undefined
    const pending = opened(secret, row)
    if (pending === undefined) return undefined
    const session = {
      id: row.id,
      principal: row.principal,
      channel: row.channel,
      proof: row.proof,
      pass: row.pass ?? undefined,
      pending,
      next: row.next,
      formToken: row.form_token,
      ip: row.ip,
      browser: row.browser,
      startedAt: row.started_at,
      seenAt: row.seen_at,
      expiresAt: row.expires_at,
    }
    secrets.set(session, secret)
    return session
  }

  /** Changes what is pending, as it is now: another tab may have changed it since the session was found. */
  const { immediate: change } = db.transaction((session, edit, { handedOut = false } = {}) => {
    const secret = secrets.get(session)
    const now = find(secret, session.channel)
    if (now === undefined) return
    edit(now.pending)
    updatePending.run(seal(secret, session.id, now.pending), handedOut ? 1 : 0, session.id)
    session.pending = now.pending
  })

  return {
    start,
    find,
    change,

    /**
     * A new session id: `secret` for the client, `id` for everything on this side.
     * Tickets and passes carry the `id` in clear, so it must differ from the cookie's value.
     */
    fresh() {
      const secret = randomBytes(32).toString('base64url')
      return { secret, id: idOf(secret) }
    },

    /** Replaces the session by one with a new id. False if it had ended already. */
    replace: db.transaction((old, fresh, state) => {
      if (remove({ id: old.id }).count === 0) return false
      const { principal, channel, ip, browser } = old
      start(fresh, { principal, channel, ip, browser, ...state })
      return true
    }).immediate,

    /** Gives a promise that the end is on the revocation list. It fails where that cannot be stored; the session has ended anyway. */
    end(session) {
      return remove({ id: session.id }).isListed
    },

    /** Whether nobody has ended or replaced it since it was found. */
    isOpen(session) {
      return select.get(session.id, clock()) !== undefined
    },

    /** Ends the other sessions of a person: `count`, how many there were, and `isListed`, as the promise of `end`. */
    endOthers(session) {
      return removeOthers({ principal: session.principal, id: session.id })
    },

    endExpired() {
      removeExpired({ now: clock() })
    },

    /** Notes where a session was seen last, once a minute. */
    seen(session, ip) {
      updateSeen.run(clock(), ip, session.id)
    },

    /** The open sessions of a person, the last seen first. */
    of(principal) {
      return listOf.all(principal, clock()).map(({ id, ip, browser, started_at, seen_at }) => ({
        id,
        ip,
        browser,
        startedAt: started_at,
        seenAt: seen_at,
      }))
    },

    keepPass(session, pass) {
      updatePass.run(pass, session.id)
    },

    leadTo(session, next) {
      updateNext.run(next, session.id)
    },

    /** Keeps what is pending from now on, by name. */
    keep(session, values, options = undefined) {
      change(session, (pending) => void Object.assign(pending, values), options)
    },

    /** Keeps a reply that a page is to tell; its id. */
    say(session, said) {
      const id = randomBytes(6).toString('base64url')
      change(session, (pending) => {
        pending.said = [...(pending.said ?? []), { id, ...said }].slice(-mostSaid)
      })
      return id
    },
  }
}

/** Opens the pending part of a session. Gives nothing where somebody has changed the database. */
function opened(secret, { id, pending }) {
  try {
    return unseal(secret, id, pending)
  } catch {
    return undefined
  }
}

function idOf(secret) {
  return createHash('sha256').update(secret).digest('base64url')
}
