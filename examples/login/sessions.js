// Sessions: a random id in the cookie, only its SHA-256 in the database.
//
// `proof` is the proof that a session has shown so far:
//   password   the first factor only: admits to the second step, or to the set-up of a first factor, and to nothing else
//   allowed    the policy asked for no second factor
//   verified   a second factor; `pass` proves it
//
// `setUp` holds the ticket for the set-up of a first factor, where the login leads there.
// `setUps` holds the set-ups that this session has begun, one a method.
// `next` is the path to go to after the second factor.

import { createHash, randomBytes } from 'node:crypto'

const lifetimeSeconds = { web: 12 * 3600, api: 3600 }

/** `revoke` gets the ids of sessions whose passes and tickets end here and at Envoy. */
export function createSessions(db, clock, revoke) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS sessions (
      id TEXT PRIMARY KEY,
      principal TEXT NOT NULL,
      channel TEXT NOT NULL,
      proof TEXT NOT NULL,
      pass TEXT,
      challenge TEXT,
      set_up TEXT,
      set_ups TEXT NOT NULL DEFAULT '{}',
      next TEXT NOT NULL,
      form_token TEXT NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS sessions_by_end ON sessions (expires_at)`)

  const insert = db.prepare(`INSERT INTO sessions
    (id, principal, channel, proof, pass, challenge, set_up, next, form_token, expires_at)
    VALUES (@id, @principal, @channel, @proof, @pass, @challenge, @setUp, @next, @formToken, @expiresAt)`)
  const select = db.prepare('SELECT * FROM sessions WHERE id = ? AND expires_at > ?')
  const remove = removal('id = @id')
  const removeExpired = removal('expires_at <= @now')
  const removeOthers = removal('principal = @principal AND id <> @id')
  const updatePass = db.prepare("UPDATE sessions SET proof = 'verified', pass = ? WHERE id = ?")
  const updateChallenge = db.prepare('UPDATE sessions SET challenge = ?, next = ? WHERE id = ?')
  const updateSetUp = db.prepare("UPDATE sessions SET set_ups = json_set(set_ups, '$.' || ?, ?) WHERE id = ?")
  const updateNext = db.prepare('UPDATE sessions SET next = ? WHERE id = ?')

  /**
   * Removes sessions; every end of a session goes through here. Envoy checks passes without asking for
   * sessions, so ended ones are put on the revocation list, which it fetches. A session whose ticket was handed out
   * is listed as well, because Envoy can turn the ticket into a pass.
   */
  function removal(condition) {
    const listed = db
      .prepare(`SELECT id FROM sessions WHERE ${condition}
        AND (pass IS NOT NULL OR (challenge IS NOT NULL AND json_extract(challenge, '$.kept') IS NOT 1))`)
      .pluck()
    const remove = db.prepare(`DELETE FROM sessions WHERE ${condition}`)
    return db.transaction((given) => {
      revoke(listed.all(given)) // it writes into this database at once, and so within the transaction
      return remove.run(given).changes
    })
  }

  function start(
    fresh,
    { principal, channel, proof, pass = null, challenge = undefined, setUp = undefined, next = '/' },
  ) {
    removeExpired({ now: clock() })
    insert.run({
      id: fresh.id,
      principal,
      channel,
      proof,
      pass,
      challenge: challenge ? JSON.stringify(challenge) : null,
      setUp: setUp ? JSON.stringify(setUp) : null,
      next,
      formToken: randomBytes(32).toString('base64url'),
      // Without a ticket handed out, the session is useless once the ticket has ended. There may be very many of them.
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
        setUp: row.set_up === null ? undefined : JSON.parse(row.set_up),
        setUps: JSON.parse(row.set_ups),
        next: row.next,
        formToken: row.form_token,
        expiresAt: row.expires_at,
      }
    },

    /** Replaces the session by one with a new id. False if it had ended already. */
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

    endExpired() {
      removeExpired({ now: clock() })
    },

    keepPass(session, pass) {
      updatePass.run(pass, session.id)
    },

    keepSetUp(session, method, setUp) {
      updateSetUp.run(method, setUp, session.id)
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
