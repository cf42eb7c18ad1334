// Sessions: a random id in the cookie, only its SHA-256 in the database.
//
// `proof` tells what a session has shown so far:
//   password   the first factor only: opens nothing but the second step
//   allowed    the policy asked for no second factor
//   enrolled   as `allowed`, and a factor was set up and confirmed in this very session
//   verified   a second factor; `pass` proves it

import { createHash, randomBytes } from 'node:crypto'

const lifetimeSeconds = { web: 12 * 3600, api: 3600 }

export function createSessions(db, clock) {
  db.exec(`CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    channel TEXT NOT NULL,
    proof TEXT NOT NULL,
    pass TEXT,
    challenge TEXT,
    next TEXT NOT NULL,
    form_token TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT`)

  const insert = db.prepare(`INSERT INTO sessions VALUES
    (@id, @principal, @channel, @proof, @pass, @challenge, @next, @formToken, @expiresAt)`)
  const select = db.prepare('SELECT * FROM sessions WHERE id = ? AND expires_at > ?')
  const remove = db.prepare('DELETE FROM sessions WHERE id = ?')
  const removeExpired = db.prepare('DELETE FROM sessions WHERE expires_at <= ?')
  const removeOthers = db.prepare('DELETE FROM sessions WHERE principal = ? AND id <> ?')
  const updateProof = db.prepare('UPDATE sessions SET proof = ? WHERE id = ?')
  const updateChallenge = db.prepare('UPDATE sessions SET challenge = ?, next = ? WHERE id = ?')

  function start(fresh, { principal, channel, proof, pass = null, challenge, next = '/' }) {
    removeExpired.run(clock())
    insert.run({
      id: fresh.id,
      principal,
      channel,
      proof,
      pass,
      challenge: challenge ? JSON.stringify(challenge) : null,
      next,
      formToken: randomBytes(32).toString('base64url'),
      expiresAt: clock() + lifetimeSeconds[channel],
    })
  }

  return {
    start,

    /**
     * A new session id: `secret` for the client, `id` for everything on this side.
     * Tickets and passes carry the `id` in clear, so it must not be what the cookie holds.
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
      if (remove.run(old.id).changes === 0) return false
      start(fresh, { principal: old.principal, channel: old.channel, ...state })
      return true
    }),

    end(session) {
      remove.run(session.id)
    },

    endOthers(session) {
      removeOthers.run(session.principal, session.id)
    },

    enrolledHere(session) {
      updateProof.run('enrolled', session.id)
    },

    challenge(session, challenge, next) {
      updateChallenge.run(JSON.stringify(challenge), next, session.id)
    },
  }
}

function idOf(secret) {
  return createHash('sha256').update(secret).digest('base64url')
}
