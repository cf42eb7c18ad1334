// A stand-in for a product's SMS gateway, mail server and audit log: here they are tables. For the demo
// only, because a reader of the outbox can read every SMS code.

import { isIn } from './networks.js'

/** The events that somebody without a factor can cause as often as they like. Each other one stays as it happened. */
const canRepeat = new Set([
  'login_allowed',
  'login_challenged',
  'login_set_up',
  'login_denied',
  'code_refused',
  'code_repeated',
  'setup_code_refused',
  'attempt_while_locked',
  'trusted_browser_refused',
  'sms_refused',
  'enrollment_started',
  'refused',
  'wrong_password',
  'sessions_ended',
])

const DAY = 86_400

/** So many addresses of wrong passwords for a person have a row of their own. */
const addressesWithOwnRow = 3

/** Events of this service, beside those of the engine: about the password and the sessions, which the engine does not know. */
export const ownEvents = ['sessions_ended', 'wrong_password']

export function createOutbox(db) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS outbox (
      id INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, recipient TEXT NOT NULL, message TEXT NOT NULL,
      subject TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS events (
      id INTEGER PRIMARY KEY, user TEXT NOT NULL, event TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS events_of_user ON events (user);
    CREATE INDEX IF NOT EXISTS events_of_kind ON events (user, event ->> 'event');
    CREATE INDEX IF NOT EXISTS events_of_account ON events (event ->> 'account')`)
  const addMessage = db.prepare('INSERT INTO outbox (kind, at, recipient, message, subject) VALUES (?, ?, ?, ?, ?)')
  const addEvent = db.prepare('INSERT INTO events (user, event) VALUES (?, ?)')
  const lastEvents = db.prepare(
    "SELECT id, event FROM events WHERE user = ? AND event ->> 'event' = ? ORDER BY id DESC LIMIT 5",
  )
  const removeEvent = db.prepare('DELETE FROM events WHERE id = ?')
  const messages = db.prepare('SELECT kind, at, recipient, message, subject FROM outbox ORDER BY id DESC LIMIT 50')
  const events = db.prepare(
    'SELECT event FROM events WHERE user IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?',
  )
  /** The network of the search under way. A statement runs to its end before the next one begins. */
  let searched
  db.function('is_searched', (ip) => Number(ip !== null && isIn(ip, searched)))
  // The index of an account holds the ids too, so that the newest events are read first and no others.
  const foundEvents = db.prepare(`SELECT id, event FROM events
    WHERE event ->> 'account' = @account
      AND (@before IS NULL OR id < @before)
      AND (@kind IS NULL OR event ->> 'event' = @kind)
      AND (@from IS NULL OR event ->> 'at' >= @from)
      AND (@until IS NULL OR coalesce(event ->> 'since', event ->> 'at') < @until)
      AND (@anywhere OR is_searched(event ->> 'ip'))
      AND (@people IS NULL OR user IN (SELECT value FROM json_each(@people))
        OR event ->> 'by' IN (SELECT value FROM json_each(@people)))
    ORDER BY id DESC LIMIT @limit`)

  /** Counts equal refusals within 15 minutes as one, so that a stolen password cannot push all other events off the page. */
  const { immediate: saveEvent } = db.transaction((event) => {
    if (!canRepeat.has(event.event)) return void addEvent.run(event.user, JSON.stringify(event))
    const last = lastEvents.all(event.user, event.event).map(({ id, event: text }) => ({ id, ...JSON.parse(text) }))
    const same = last.find((each) => isSame(each, event))
    const shared = same === undefined && isShared(last, event)
    const row = shared ? last.find((each) => each.isLastIp && isOfToday(each, event)) : same
    if (row) removeEvent.run(row.id)
    const { times = 1, since = row?.at } = row ?? {}
    const kept = shared ? { ...event, isLastIp: true } : event
    addEvent.run(event.user, JSON.stringify(row ? { ...kept, times: times + 1, since } : kept))
  })

  function isSame({ id, at, times, since = at, ...last }, { at: now, ...event }) {
    const seconds = event.event === 'wrong_password' ? DAY : 900
    return now - since <= seconds && JSON.stringify(last) === JSON.stringify(event)
  }

  /**
   * A stranger has many addresses and needs no password. The first addresses of a day keep rows of their own; all others share
   * one more row, whose `ip` is the last one.
   */
  function isShared(last, event) {
    if (event.event !== 'wrong_password') return false
    return last.filter((each) => !each.isLastIp && isOfToday(each, event)).length >= addressesWithOwnRow
  }

  const isOfToday = ({ event, at, since = at }, { event: kind, at: now }) => event === kind && now - since <= DAY

  return {
    sms: (at, to, body) => addMessage.run('sms', at, to, body, null),
    /** A mail to one person. A mail server would send `html` beside the text. */
    mail: (at, to, { subject, text }) => addMessage.run('mail', at, to, text, subject),
    event: saveEvent,
    /** One of `ownEvents`, in the form of the engine's. */
    ownEvent: (event, { account, id: user }, { at, ip }) => saveEvent({ v: 1, account, user, at, ip, event }),
    messages: () => messages.all(),
    /** The newest events of these users, at most so many. */
    events: (users, limit) => events.all(JSON.stringify(users), limit).map((row) => JSON.parse(row.event)),

    /**
     * The newest events of an account, at most `limit`, each with its `id`. All else narrows the search: `before` an id, `kind`,
     * the times `from` and `until`, the `network` of the address, and the ids of `people` whom it is about or who did it.
     */
    findEvents({
      account,
      limit,
      before = null,
      kind = null,
      from = null,
      until = null,
      network = undefined,
      people = undefined,
    }) {
      const given = { account, limit, before, kind, from, until, anywhere: Number(network === undefined) }
      searched = network
      return foundEvents
        .all({
          ...given,
          people: people === undefined ? null : JSON.stringify(people),
        })
        .map(({ id, event }) => ({ id, event: JSON.parse(event) }))
    },
  }
}
