// Stands for what a product already has: an SMS gateway, a way to notify people, an audit log.
// Here all three are tables. For the demo only: whoever reads the outbox can read every SMS code.

export function createOutbox(db) {
  db.exec(`
    CREATE TABLE IF NOT EXISTS outbox (
      id INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, recipient TEXT NOT NULL, message TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS events (
      id INTEGER PRIMARY KEY, user TEXT NOT NULL, event TEXT NOT NULL
    ) STRICT`)
  const addMessage = db.prepare('INSERT INTO outbox (kind, at, recipient, message) VALUES (?, ?, ?, ?)')
  const addEvent = db.prepare('INSERT INTO events (user, event) VALUES (?, ?)')
  const lastEvent = db.prepare('SELECT id, event FROM events WHERE user = ? ORDER BY id DESC LIMIT 1')
  const changeEvent = db.prepare('UPDATE events SET event = ? WHERE id = ?')
  const messages = db.prepare('SELECT kind, at, recipient, message FROM outbox ORDER BY id DESC LIMIT 50')
  const events = db.prepare(
    'SELECT event FROM events WHERE user IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT 200')

  /** The same again and again is one event, or whoever has a password could push all others off the page. */
  const saveEvent = db.transaction((event) => {
    const last = lastEvent.get(event.user)
    const { at, times = 1, ...before } = last ? JSON.parse(last.event) : {}
    const { at: now, ...rest } = event
    if (JSON.stringify(before) === JSON.stringify(rest)) changeEvent.run(JSON.stringify({ ...event, times: times + 1 }), last.id)
    else addEvent.run(event.user, JSON.stringify(event))
  })

  return {
    sms: (at, to, body) => addMessage.run('sms', at, to, body),
    notification: (at, recipient, text) => addMessage.run('notification', at, recipient, text),
    event: saveEvent,
    messages: () => messages.all(),
    events: (users) => events.all(JSON.stringify(users)).map((row) => JSON.parse(row.event)),
  }
}
