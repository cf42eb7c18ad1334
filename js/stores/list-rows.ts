// The revocation list in rows, one for each entry: what a store keeps of it.
import type { Revoked, RevokedQuestion } from '../revoked.js'

/** An entry. Its account is empty where it has none, and always for a session. */
export interface ListRow {
  kind: 'session' | 'user' | 'epoch'
  account: string
  id: string
  /** The time of a user, an epoch, or nothing. Of two entries that differ in it alone the greater counts. */
  value: string | number
}

type Users = Pick<Revoked, 'users' | 'epochs'>

/** The entries of a list. */
export function rowsOf({ sessions, accounts, ...outside }: Revoked): ListRow[] {
  const ofUsers = (account: string, { users, epochs }: Users): ListRow[] => [
    ...Object.entries(users ?? {}).map(([id, value]) => ({ kind: 'user' as const, account, id, value })),
    ...Object.entries(epochs ?? {}).flatMap(([id, values]) =>
      [values].flat().map((value) => ({ kind: 'epoch' as const, account, id, value: value as string })),
    ),
  ]
  return [
    ...(sessions ?? []).map((id) => ({ kind: 'session' as const, account: '', id, value: '' })),
    ...ofUsers('', outside),
    ...Object.entries(accounts ?? {}).flatMap(([account, users]) => ofUsers(account, users)),
  ]
}

/** The list of entries. Its objects have no prototype, so that any id is a name. */
export function listOfRows(rows: Iterable<ListRow>): Revoked {
  const byName = Object.create
  const users = () => ({ users: byName(null), epochs: byName(null) })
  const outside = users()
  const accounts: Record<string, ReturnType<typeof users>> = byName(null)
  const sessions: string[] = []
  for (const { kind, account, id, value } of rows) {
    if (kind === 'session') {
      sessions.push(id)
      continue
    }
    if (account !== '') accounts[account] ??= users()
    const own = account === '' ? outside : accounts[account]!
    own[kind === 'user' ? 'users' : 'epochs'][id] = value
  }
  return { sessions, ...outside, accounts }
}

/** Whether an entry is about a session or its user. */
export const isAbout = ({ kind, account, id }: ListRow, about: RevokedQuestion): boolean =>
  kind === 'session' ? id === about.session : id === about.user && account === (about.account ?? '')
