// The users of an import: the ids that the other system has, and those of the host. Where they differ, a file maps one to the
// other. Of two apps of a user the first one counts, and the other one is reported.
import { csvRows } from './csv.js'
import { type Entry, field, isId, REASONS, type Read } from './entry.js'
import type { Source } from './lines.js'

/** A user of the host. */
export interface User {
  account?: string | undefined
  user: string
}

/** Reads CSV with the columns `from`, `user` and, if need be, `account`. Throws where a row is none: nobody must be left out by a typo. */
export function userMap(source: Source): ReadonlyMap<string, User> {
  const users = new Map<string, User>()
  for (const found of csvRows(source)) {
    if ('reason' in found) throw new Error(`--users: ${found.row}: ${found.message}`)
    const [from, user, account] = ['from', 'user', 'account'].map((name) => field(found.fields, name))
    const id = typeof account === 'string' && account !== '' ? { account, user } : { user }
    if (typeof from !== 'string' || from === '' || !Object.values(id).every(isId))
      throw new Error(`--users: ${found.row}: must have the columns \`from\` and \`user\`, with an id in each`)
    const other = users.get(from)
    if (other !== undefined && keyOf(other) !== keyOf(id as User))
      throw new Error(`--users: ${found.row}: gives a user a second time, as another one`)
    users.set(from, id as User)
  }
  return users
}

/** Settings for {@link assigner}. */
export interface AssignerSettings {
  /** The host's users by the ids of the other system; without it the ids are the same. */
  users?: ReadonlyMap<string, User> | undefined
  /** The account of users whose entry names none. */
  account?: string | undefined
}

/** Gives each entry to its user of the host. */
export function assigner({ users, account }: AssignerSettings): (read: Read) => Read {
  const seen = new Set<string>()
  return (read) => {
    if ('reason' in read) return read
    const { row, entry } = read
    const refused = (reason: 'unknown_user' | 'second_app', message: string = REASONS[reason]): Read => ({
      row,
      user: entry.user,
      reason,
      message,
    })
    const mapped = users === undefined ? entry : users.get(entry.user)
    if (mapped === undefined) return refused('unknown_user')
    const id: User = { account: mapped.account ?? entry.account ?? account, user: mapped.user }
    if (id.account === undefined) delete id.account
    const key = keyOf(id)
    if (seen.has(key)) return refused('second_app', 'the user has another app in the same import, and that one counts')
    seen.add(key)
    const assigned: Entry = { ...entry, ...id }
    return { row, entry: assigned }
  }
}

const keyOf = ({ account, user }: User) => JSON.stringify([account ?? null, user])
