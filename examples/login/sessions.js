// Sessions: a random id in the cookie, only its SHA-256 in the database.
//
// `proof` is the proof that a session has shown so far:
//   password   the first factor only: opens nothing but the second step
//   allowed    the policy asked for no second factor
//   enrolled   as `allowed`, and a factor was set up and confirmed in this very session
//   verified   a second factor; `pass` proves it
//
// `next` is where the person goes once a second factor was shown.

import { createHash, randomBytes } from 'node:crypto'

const lifetimeSeconds = { web: 12 * 3600, api: 3600 }

/** `passSeconds`: how long after the end of its session a pass bound to it can still live somewhere. */
export function createSessions(db, clock, passSeconds) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS sessions (
      id TEXT PRIMARY KEY,
      principal TEXT NOT NULL,
      channel TEXT NOT NULL,
      proof TEXT NOT NULL,
      pass TEXT,
      challenge TEXT,
      next TEXT NOT NULL,
      form_token TEXT NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS sessions_by_end ON sessions (expires_at);
    CREATE TABLE IF NOT EXISTS ended_sessions (
      id TEXT PRIMARY KEY, until INTEGER NOT NULL
    ) STRICT`)

  const insert = db.prepare(`INSERT INTO sessions VALUES
    (@id, @principal, @channel, @proof, @pass, @challenge, @next, @formToken, @expiresAt)`)
  const select = db.prepare('SELECT * FROM sessions WHERE id = ? AND expires_at > ?')
  const remove = removal('id = @id')
  const removeExpired = removal('expires_at <= @now')
  const removeOthers = removal('principal = @principal AND id <> @id')
  const updateProof = db.prepare('UPDATE sessions SET proof = ? WHERE id = ?')
  const updateChallenge = db.prepare('UPDATE sessions SET challenge = ?, next = ? WHERE id = ?')
  const updateNext = db.prepare('UPDATE sessions SET next = ? WHERE id = ?')
  const selectEnded = db.prepare('SELECT id FROM ended_sessions').pluck()
  const forgetEnded = db.prepare('DELETE FROM ended_sessions WHERE until <= ?')

  /**
   * The one way in which sessions end. Envoy checks passes without asking here, so it must hear of
   * the end. A session whose ticket was handed out counts as well: Envoy can turn it into a pass.
   */
  function removal(condition) {
    const keep = db.prepare(`INSERT OR REPLACE INTO ended_sessions
      SELECT id, @until FROM sessions WHERE (pass IS NOT NULL OR (challenge IS NOT NULL AND json_extract(challenge, '$.kept') IS NOT 1)) AND ${condition}`)
    const remove = db.prepare(`DELETE FROM sessions WHERE ${condition}`)
    return db.transaction((given) => {
      keep.run({ ...given, until: clock() + passSeconds })
      return remove.run(given).changes
    })
  }

  function start(fresh, { principal, channel, proof, pass = null, challenge, next = '/' }) {
    removeExpired({ now: clock() })
    insert.run({
      id: fresh.id,
      principal,
      channel,
      proof,
      pass,
      challenge: challenge ? JSON.stringify(challenge) : null,
      next,
      formToken: randomBytes(32).toString('base64url'),
      // A session whose ticket was not handed out is of no use after the ticket's end, and there may be very many.
      expiresAt: challenge?.kept ? challenge.expiresAt : clock() + lifetimeSeconds[channel],
    })
  }

  return {
    start,

    /**
     * A new session id: `secret` for the client, `id` for everything on this side.
     * Tickets and passes carry the `id` in clear, so it must differ from the cookie's value.
     */
    fresh() {
      const secret = randomBytes(32).toString('base64url')
      return { secret, id: idOf(secret) }
    },

    find(secret, channel) {
      const row = select.get(idOf(secret), clock())
      if (row === undefined || row.channel !== channel) return undefined
      return {
        id: row.id,
        principal: row.principal,
        channel: row.channel,
        proof: row.proof,
        pass: row.pass ?? undefined,
        challenge: row.challenge === null ? undefined : JSON.parse(row.challenge),
        next: row.next,
        formToken: row.form_token,
        expiresAt: row.expires_at,
      }
    },

    /** The session goes on under a new id; the old one is dead. False if it was dead already. */
    replace: db.transaction((old, fresh, state) => {
      if (remove({ id: old.id }) === 0) return false
      start(fresh, { principal: old.principal, channel: old.channel, ...state })
      return true
    }),

    end(session) {
      remove({ id: session.id })
    },

    endOthers(session) {
      removeOthers({ principal: session.principal, id: session.id })
    },

    /** Ids of sessions that are over while a pass bound to them may live on. */
    ended() {
      removeExpired({ now: clock() })
      forgetEnded.run(clock())
      return selectEnded.all()
    },

    enrolledHere(session) {
      updateProof.run('enrolled', session.id)
    },

    challenge(session, challenge, next) {
      updateChallenge.run(JSON.stringify(challenge), next, session.id)
    },

    leadTo(session, next) {
      updateNext.run(next, session.id)
    },
  }
}

function idOf(secret) {
  return createHash('sha256').update(secret).digest('base64url')
}
