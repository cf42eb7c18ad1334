// The use cases of the audit log: to search it, page by page, and to take what was found away as a file.
// Contexts and replies are those of login.js.

import { BadInput } from './bad-input.js'
import { networkOf } from './networks.js'
import { endOf, isZone, startOf } from './time-zones.js'

const eventsOnPage = 100

/** The most events in a file. It is made in one piece in memory, so the export of more is asked for in parts. */
export const mostExported = 20_000

const formats = ['csv', 'jsonl', 'ocsf']

export function auditUseCases({ accounts, outbox }) {
  return {
    /** A page of the events, the newest first. `older` is where the next page begins. */
    async audit({ account, input }) {
      const { search, wrong } = searchOf(input)
      if (wrong !== undefined) return { result: 'audit', events: [], search, wrong }
      const found = find(account, search, { limit: eventsOnPage + 1, before: idOf(input.before) })
      const shown = found.slice(0, eventsOnPage)
      const nameOf = namesIn(account)
      return {
        result: 'audit',
        events: shown.map(({ event }) => withNames(event, nameOf)),
        search,
        older: found.length > eventsOnPage ? shown.at(-1).id : undefined,
      }
    },

    /** All events that were found, as the engine gave them, and the names of the people in them. */
    async exportAudit({ account, input }) {
      if (!formats.includes(input.format)) throw new BadInput('format', `is none of ${formats.join(', ')}`)
      const { search, wrong } = searchOf(input)
      if (wrong !== undefined)
        throw new BadInput(wrong.field, wrong.field === 'address' ? 'is no address and no network' : 'is no day')
      const found = find(account, search, { limit: mostExported + 1 })
      if (found.length > mostExported) return { result: 'too_many_events', search }
      const events = found.map(({ event }) => event)
      return { result: 'audit_export', format: input.format, events, nameOf: namesIn(account), account }
    },
  }

  function find(account, { person, kind, from, to, zone, address }, part) {
    return outbox.findEvents({
      account: account.id,
      people: person === '' ? undefined : accounts.principalsNamed(account.id, person),
      kind: kind === '' ? undefined : kind,
      from: from === '' ? undefined : startOf(from, zone),
      until: to === '' ? undefined : endOf(to, zone),
      network: address === '' ? undefined : networkOf(address),
      ...part,
    })
  }

  /** The name of a user or an API client of the account, by id. */
  function namesIn(account) {
    const known = new Map()
    return (id) => {
      if (!known.has(id)) {
        const principal = accounts.principal(id)
        const isOurs = principal?.account === account.id
        known.set(id, isOurs ? (principal.email ?? principal.clientId) : undefined)
      }
      return known.get(id)
    }
  }
}

/** The fields of the search, and the one with a mistake. Days without a zone are those of UTC. */
function searchOf(input) {
  const field = (name) => (typeof input[name] === 'string' ? input[name].trim().slice(0, 256) : '')
  const [person, kind, from, to, address] = ['person', 'kind', 'from', 'to', 'address'].map(field)
  const zone = from === '' && to === '' ? '' : isZone(field('zone')) ? field('zone') : 'UTC'
  const search = { person, kind, from, to, zone, address }
  if (address !== '' && networkOf(address) === undefined)
    return { search, wrong: { field: 'address', reason: 'wrongAddress' } }
  if (!isDay(from)) return { search, wrong: { field: 'from', reason: 'wrongDay' } }
  if (!isDay(to)) return { search, wrong: { field: 'to', reason: 'wrongDay' } }
  if (from !== '' && to !== '' && to < from) return { search, wrong: { field: 'to', reason: 'wrongOrder' } }
  return { search }
}

/** Whether a text is empty or a day, such as `2027-12-31`. `Date` reads February 30 as March 2. */
const isDay = (text) =>
  text === '' ||
  (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text))

const idOf = (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined)

/** An event with names in place of ids. Someone who is no more keeps the id. */
function withNames(event, nameOf) {
  const { user, by } = event
  return { ...event, user: nameOf(user) ?? user, ...(by !== undefined && { by: nameOf(by) ?? by }) }
}
