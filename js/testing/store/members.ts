// The members that a store may have: pages of records, many insertions at once, the revocation list.
import type { RecordId, Revoked, Store, Stored } from '../../index.js'
import { answerOf, fresh, load, type OpenInstance, saveFirst, saveNext, withInstances } from './asking.js'
import { USERS } from './contents.js'
import { found } from './defects.js'

/** Records of an account that is listed. */
const LISTED = 25
/** Most pages of a database for tests. */
const MOST_PAGES = 100_000

const keyOf = ({ account, user }: RecordId): string => JSON.stringify([account ?? null, user])

/** Pages give each record once, of one account and of all. */
export async function list(open: OpenInstance): Promise<void> {
  await withInstances(open, 2, async ([store, writer]) => {
    if (store!.list === undefined) return
    const run = fresh()
    const names = Array.from({ length: LISTED }, (_, n) => `${run} ${['a', 'B', 'ä', 'z😀', '"'][n % 5]}${n}`)
    const ids: RecordId[] = [
      ...names.map((user) => ({ account: `${run} list`, user })),
      ...names.slice(0, 3).map((user) => ({ account: `${run} other`, user })),
      ...names.slice(0, 3).map((user) => ({ account: `${run} listed too`, user })), // begins with the name of the first
      ...names.slice(0, 3).map((user) => ({ user })),
    ]
    const wanted = new Map<string, { id: RecordId } & Stored>()
    for (const id of ids) wanted.set(keyOf(id), { id, ...(await saveFirst(store!, id, `record of ${keyOf(id)}`)) })
    for (const limit of [1, 10, LISTED, 1_000]) await expectPages(store!, limit, `${run} list`, wanted)
    await expectPages(store!, 1_000, undefined, wanted)
    const [changed, left] = ids as [RecordId, RecordId]
    const { version } = wanted.get(keyOf(changed))!
    wanted.set(keyOf(changed), { id: changed, ...(await saveNext(writer!, changed, 'changed', version)) })
    if (await answerOf('delete', async () => writer!.delete?.({ ...left }, wanted.get(keyOf(left))!.version)))
      wanted.delete(keyOf(left))
    await expectPages(store!, 1_000, `${run} list`, wanted)
  })
}

async function expectPages(
  store: Store,
  limit: number,
  account: string | undefined,
  all: ReadonlyMap<string, { id: RecordId } & Stored>,
): Promise<void> {
  const where = `pages of ${limit}, ${account === undefined ? 'of all records' : 'of one account'}`
  const times = new Map<string, number>()
  let after: string | undefined
  for (let page = 0; ; page += 1) {
    if (page === MOST_PAGES) found('wrong list', `${where} do not end`)
    const { records, next } = await answerOf('list', () => store.list!({ account, after, limit }))
    for (const { id, record, version } of records) {
      const key = keyOf(id)
      if (account !== undefined && id.account !== account)
        found('wrong list', `${where} give a record of another account`)
      const stored = all.get(key)
      if (stored === undefined && account === undefined) continue // of an earlier run
      if (stored === undefined) found('wrong list', `${where} give a record that is deleted`)
      times.set(key, (times.get(key) ?? 0) + 1)
      if (record !== stored.record || version !== stored.version)
        found('wrong list', `${where} give another record or version than \`load\``)
    }
    if (next === undefined) break
    if (next === after) found('wrong list', `${where} do not end: \`next\` is the one of the page before`)
    after = next
  }
  const wanted = [...all.values()].filter(({ id }) => account === undefined || id.account === account)
  const counts = wanted.map(({ id }) => times.get(keyOf(id)) ?? 0)
  const missing = counts.filter((count) => count === 0).length
  if (missing > 0) found('wrong list', `${where} leave out ${missing} of ${wanted.length} records`)
  const twice = counts.filter((count) => count > 1).length
  if (twice > 0) found('wrong list', `${where} give ${twice} of ${wanted.length} records more than once`)
}

/** Of many insertions those of users who have none are written, once each, and the answers are in their order. */
export async function insertions(open: OpenInstance): Promise<void> {
  await withInstances(open, 3, async (stores) => {
    const [store] = stores
    if (store!.insertMany === undefined) return
    const run = fresh()
    const ids = Array.from(
      { length: 250 },
      (_, n): RecordId => ({ account: n % 2 ? run : undefined, user: `${run} ${n}` }),
    )
    const there = [3, 120, 249]
    for (const at of there) await saveFirst(store!, ids[at]!, 'there before')
    const answers = await Promise.all(
      stores.map((each, n) =>
        answerOf('insertMany', () => each.insertMany!(ids.map((id, at) => ({ id, record: `${n} ${at}` })))),
      ),
    )
    if (answers.some((answer) => answer.length !== ids.length || answer.some((each) => typeof each !== 'boolean')))
      found('wrong answer', '`insertMany` must give true or false for each of its records')
    const records = await Promise.all(ids.map((id) => load(store!, id)))
    const versions = new Set(records.map((each) => each?.version))
    for (const [at, stored] of records.entries()) {
      const writers = answers.flatMap((answer, n) => (answer[at] ? [`${n} ${at}`] : []))
      const expected = there.includes(at) ? [] : [stored?.record]
      if (there.includes(at) && stored?.record !== 'there before')
        found('wrong insertion', 'an insertion of many replaced a record that was there')
      if (writers.length !== expected.length)
        found(
          'wrong insertion',
          `${writers.length} of ${stores.length} insertions of one user at once said true, not ${expected.length}`,
        )
      if (writers[0] !== expected[0])
        found('wrong insertion', 'an insertion said true, and its record is not the one that is stored')
    }
    if (versions.size < 2) found('repeated version', 'all records of one insertion have one version')
    const none = await answerOf('insertMany', () => store!.insertMany!([]))
    if (none.length !== 0) found('wrong answer', 'an insertion of no records must give an empty list')
  })
}

/** The revocation list keeps the later of two entries, whatever their order, and each as long as it must. */
export async function revocations(open: OpenInstance): Promise<void> {
  await withInstances(open, 2, async ([store, reader]) => {
    if (store!.revoke === undefined || store!.revoked === undefined) return
    const run = fresh()
    const now = Math.floor(Date.now() / 1_000)
    const put = (more: Revoked, until: number, at = now) =>
      answerOf('revoke', () => store!.revoke!(more, { now: at, until }))
    const account = `${run} account`
    const [user, session] = [`${run} user`, `${run} session`]
    const both = (time: number, epoch: string): Revoked => ({
      users: { [user]: time },
      epochs: { [user]: epoch },
      accounts: { [account]: { users: { [user]: time + 1 }, epochs: { [user]: `${epoch}z` } } },
    })
    await put({ sessions: [session], ...both(now + 5, 'b') }, now + 100)
    await put({ sessions: [session], ...both(now + 5, 'b') }, now + 5_000)
    await put(both(now - 5, 'a'), now + 10)
    await put({ users: { [`${user}2`]: 9 } }, now + 5_000)
    await put({ users: { [`${user}2`]: 10 } }, now + 5_000)
    await put({ sessions: [`${session} of later`] }, now + 5_000, now + 1_000) // what has ended by then may be forgotten
    for (const [name, question] of [
      ['the whole list', undefined],
      ['the part about a user', { user, session }],
    ] as const) {
      const listed = await answerOf('revoked', () => reader!.revoked!(question))
      const told = (what: string) => found('wrong revocation', `${name} ${what}`)
      if (!listed.sessions?.includes(session)) told('leaves out a session whose end was moved to later')
      const { [user]: time, [`${user}2`]: other } = listed.users ?? {}
      if (time === undefined) told('leaves out a user whose entry has not ended')
      if (time !== now + 5) told('has an earlier time of a user than the latest that was put on it')
      if (greatest(listed.epochs?.[user]) !== 'b') told('has not the greatest epoch that was put on it')
      if (question === undefined && other !== 10) told('has not the greater of the times 9 and 10')
    }
    for (const [name, question] of [
      ['the part about a user of an account', { account, user, session }],
      ['the whole list', undefined],
    ] as const) {
      const inside = (await answerOf('revoked', () => reader!.revoked!(question))).accounts?.[account]
      if (inside?.users?.[user] !== now + 6 || greatest(inside.epochs?.[user]) !== 'bz')
        found('wrong revocation', `${name} has not the entries of that account`)
    }
    const inherited = (time: number): Revoked => ({ accounts: { [account]: { users: { ['__proto__']: time } } } })
    await put(inherited(now), now + 100)
    const { accounts } = await answerOf('revoked', () => reader!.revoked!())
    if (Object.entries(accounts?.[account]?.users ?? {}).every(([name]) => name !== '__proto__'))
      found('wrong revocation', 'the whole list leaves out the user `__proto__`: give it objects without a prototype')
    await revocationsOfIds(store!)
    await revocationsAtOnce([store!, reader!])
  })
}

/** Entries about ids that are alike are those of two. */
async function revocationsOfIds(store: Store): Promise<void> {
  const now = Math.floor(Date.now() / 1_000)
  for (const [difference, ...names] of USERS) {
    const run = fresh()
    const [one, other] = names.map((name) => name.replace('*', run)) as [string, string]
    for (const [at, name] of [one, other].entries())
      await answerOf('revoke', () =>
        store.revoke!({ sessions: [name], users: { [name]: now + at } }, { now, until: now + 100 }),
      )
    for (const [at, name] of [one, other].entries()) {
      const listed = await answerOf('revoked', () => store.revoked!({ user: name, session: name }))
      if (listed.users?.[name] !== now + at || !listed.sessions?.includes(name))
        found('wrong revocation', `two ids share an entry that differ only ${difference}`)
    }
  }
}

/** Of many who put entries on the list at once none takes away that of another. */
async function revocationsAtOnce(stores: Store[]): Promise<void> {
  const run = fresh()
  const now = Math.floor(Date.now() / 1_000)
  const sessions = Array.from({ length: 20 }, (_, n) => `${run} session ${n}`)
  await Promise.all(
    sessions.map((session, n) =>
      answerOf('revoke', () =>
        stores[n % stores.length]!.revoke!(
          { sessions: [session], users: { [run]: now + ((n * 7) % sessions.length) } },
          { now, until: now + 100 },
        ),
      ),
    ),
  )
  const listed = await answerOf('revoked', () => stores[0]!.revoked!())
  const lost = sessions.filter((session) => !listed.sessions?.includes(session)).length
  if (lost > 0) found('wrong revocation', `${lost} of ${sessions.length} entries that were put on it at once are gone`)
  if (listed.users?.[run] !== now + sessions.length - 1)
    found('wrong revocation', 'of times of one user that were put on it at once, the latest is gone')
}

const greatest = (epochs: string | readonly string[] | undefined) => [epochs ?? []].flat().sort().at(-1)
