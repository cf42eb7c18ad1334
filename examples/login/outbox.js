// A stand-in for a product's SMS gateway, mail server and audit log: here they are tables. For the demo
// only, because a reader of the outbox can read every SMS code.

export function createOutbox(db) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS outbox (
      id INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, recipient TEXT NOT NULL, message TEXT NOT NULL,
      subject TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS events (
      id INTEGER PRIMARY KEY, user TEXT NOT NULL, event TEXT NOT NULL
    ) STRICT`)
  const addMessage = db.prepare('INSERT INTO outbox (kind, at, recipient, message, subject) VALUES (?, ?, ?, ?, ?)')
  const addEvent = db.prepare('INSERT INTO events (user, event) VALUES (?, ?)')
  const lastEvents = db.prepare('SELECT id, event FROM events WHERE user = ? ORDER BY id DESC LIMIT 5')
  const removeEvent = db.prepare('DELETE FROM events WHERE id = ?')
  const messages = db.prepare('SELECT kind, at, recipient, message, subject FROM outbox ORDER BY id DESC LIMIT 50')
  const events = db.prepare(
    'SELECT event FROM events WHERE user IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT 200',
  )

  /** Counts equal events within 15 minutes as one, so that a stolen password cannot push all other events off the page. */
  const saveEvent = db.transaction((event) => {
    const same = lastEvents
      .all(event.user)
      .map(({ id, event: text }) => ({ id, ...JSON.parse(text) }))
      .find((last) => isSame(last, event))
    if (same) removeEvent.run(same.id)
    const { times = 1, since = same?.at } = same ?? {}
    addEvent.run(event.user, JSON.stringify(same ? { ...event, times: times + 1, since } : event))
  })

  function isSame({ id, at, times, since = at, ...last }, { at: now, ...event }) {
    return now - since <= 900 && JSON.stringify(last) === JSON.stringify(event)
  }

  return {
    sms: (at, to, body) => addMessage.run('sms', at, to, body, null),
    /** A mail to one person. A mail server would send `html` beside the text. */
    mail: (at, to, { subject, text }) => addMessage.run('mail', at, to, text, subject),
    event: saveEvent,
    messages: () => messages.all(),
    events: (users) => events.all(JSON.stringify(users)).map((row) => JSON.parse(row.event)),
  }
}
