// The files of the audit log: CSV for a spreadsheet, and JSON lines as the engine gave the events. OCSF is in audit-ocsf.js.

const columns = [
  'time',
  'event',
  'what',
  'user',
  'user_id',
  'by',
  'ip',
  'method',
  'factor',
  'reason',
  'times',
  'details',
]

/** CSV by RFC 4180. `describe` tells an event to a person: what happened, and the details. */
export function csvOf(events, { nameOf, describe }) {
  const lines = events.map((event) => {
    const { what, details } = describe(event)
    const { at, user, by, operator, ip, method, factor, browser, reason, times } = event
    return [
      new Date(at * 1000).toISOString(),
      event.event,
      what,
      nameOf(user) ?? '',
      user,
      (by === undefined ? operator : (nameOf(by) ?? by)) ?? '',
      ip ?? '',
      method ?? '',
      (factor ?? browser)?.name ?? '',
      reason ?? '',
      times ?? 1,
      details,
    ]
  })
  return [columns, ...lines].map((cells) => `${cells.map(cellOf).join(',')}\r\n`).join('')
}

/**
 * A cell. A spreadsheet reads one that begins with such a sign as a formula, and people choose the names of their phones: so it
 * gets an apostrophe before it, which spreadsheets read as the mark of a text. The wide signs count in some languages.
 */
function cellOf(value) {
  const text = String(value)
  // Where a spreadsheet takes `;` or a tab for the end of a cell, as in German, the sign behind it begins one as well.
  const safe = text.replaceAll(/(^|[;\t]["\s]*)(?=[=+\-@\t\r\n＝＋－＠])/g, "$1'")
  return /[",\r\n]/.test(safe) || safe !== text ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** One event a line. */
export const jsonLinesOf = (events) => events.map((event) => `${JSON.stringify(event)}\n`).join('')
