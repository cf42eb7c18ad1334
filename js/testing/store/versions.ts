// Versions: exact, large, and never used again.
import { fresh, load, type OpenInstance, saveFirst, saveLate, saveNext, withInstances } from './asking.js'
import { found } from './defects.js'

/** Writes whose versions are looked at. */
const WRITES = 40
/** Users whose first versions are compared. */
const USERS = 10
/** A clock in seconds, milliseconds and microseconds. */
const TICKS_IN_A_SECOND = [1, 1_000, 1_000_000]
const DAY = 86_400

/** No version is used twice, none is rounded, and none is so small that it returns. */
export async function versions(open: OpenInstance): Promise<void> {
  await withInstances(open, 2, async (stores) => {
    const id = { user: `${fresh()} versions` }
    const seen: number[] = []
    let { version } = await saveFirst(stores[0]!, id, 'write 0')
    for (let write = 1; write <= WRITES; write += 1) {
      seen.push(version)
      ;({ version } = await saveNext(stores[write % 2]!, id, `write ${write}`, version))
      complainOf(seen, version)
    }
    // A version that is made of the text comes back with it.
    for (const write of [WRITES, 1]) {
      seen.push(version)
      ;({ version } = await saveNext(stores[0]!, id, `write ${write}`, version))
      complainOf(seen, version)
    }
    const all = [...seen, version]
    const now = Date.now() / 1_000
    if (TICKS_IN_A_SECOND.some((ticks) => all.every((each) => Math.abs(each / ticks - now) < DAY)))
      found('time as version', `all versions of ${all.length} writes are the time of the clock, such as ${version}`)
    if (all.every((each) => each < 2 ** 32))
      found('version of 32 bits', `all versions of ${all.length} writes are below 2^32, such as ${version}`)
    if (all.every((each, at) => at === 0 || isNextOf(all[at - 1]!, each)))
      found('counted version', `the versions of ${all.length} writes are counted up, such as ${all[0]} and ${all[1]}`)
    for (const other of neighboursOf(version))
      if (await saveLate(stores[0]!, id, 'by another version', other))
        found('inexact version', `a save that named version ${other} got true, and version ${version} was stored`)
    for (const old of seen)
      if (await saveLate(stores[0]!, id, 'by an old version', old))
        found('lost update', `a save that named version ${old} got true, many writes after it`)
    await firstVersions(stores[0]!)
  })
}

/** Whether a version is counted up from the one before. A random one is greater by so little once in four thousand million. */
const isNextOf = (before: number, version: number) => version > before && version - before < 2 ** 20

function complainOf(seen: readonly number[], version: number): void {
  const at = seen.indexOf(version)
  if (at < 0) return
  if (version === 2 ** 31 - 1 || version === 2 ** 32 - 1)
    found('version of 32 bits', `two writes have version ${version}, the greatest number of the column`)
  const now = Date.now() / 1_000
  if (TICKS_IN_A_SECOND.some((ticks) => Math.abs(version / ticks - now) < DAY))
    found('time as version', `two writes have version ${version}, the time of the clock`)
  found('repeated version', `write ${seen.length + 1} of a user has version ${version}, which write ${at + 1} had`)
}

/** Versions that are taken for this one where it is cut to 32 bits or kept in a double with too few digits. */
const neighboursOf = (version: number): number[] =>
  [version - 1, version + 1, version % 2 ** 32, version - 2 ** 32, version + 2 ** 32].filter(
    (other) => other > 0 && other !== version && Number.isSafeInteger(other),
  )

/** New users do not all begin with one number: it would come back after a deletion. */
async function firstVersions(store: Parameters<typeof load>[0]): Promise<void> {
  const run = fresh()
  const seen = new Set<number>()
  for (let n = 0; n < USERS; n += 1) seen.add((await saveFirst(store, { user: `${run} user ${n}` }, 'first')).version)
  if (seen.size === 1)
    found(
      'repeated version',
      `the first records of ${USERS} users all have version ${[...seen][0]}, which returns after a deletion`,
    )
}

/** A deletion compares; what was deleted has no record; and no version of before it counts after it. */
export async function deletion(open: OpenInstance): Promise<void> {
  await withInstances(open, 2, async ([store, other]) => {
    if (store!.delete === undefined) return
    const remove = (version: number, by = store!) => deleted(by, id, version)
    const id = { user: `${fresh()} deletion` }
    const seen: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const first = await saveFirst(store!, id, 'first')
      const second = await saveNext(store!, id, 'second', first.version)
      for (const { version } of [first, second])
        if (seen.includes(version))
          found('repeated version', `version ${version} came back in a record that was made after a deletion`)
      for (const old of [first.version, ...seen]) {
        if (await remove(old)) found('wrong deletion', 'a deletion that named an old version said true')
        if ((await load(store!, id))?.record !== 'second')
          found('wrong deletion', 'a deletion that named an old version deleted the record, and said false')
      }
      const all = await Promise.all([store!, other!, store!, other!].map((by) => remove(second.version, by)))
      if (all.filter(Boolean).length !== 1)
        found(
          'wrong deletion',
          `${all.filter(Boolean).length} of ${all.length} deletions of one record at once said true`,
        )
      const left = await load(other!, id)
      if (left !== undefined) found('stale read', 'a deletion said true, and another instance still gives the record')
      if (await saveLate(store!, id, 'by an old version', second.version))
        found('write where nothing is', 'a save that named the version of a deleted record got true')
      seen.push(first.version, second.version)
    }
  })
}

async function deleted(store: Parameters<typeof load>[0], id: { user: string }, version: number): Promise<boolean> {
  try {
    return (await store.delete?.({ ...id }, version)) === true
  } catch (error) {
    return found('error on a lost race', 'a deletion threw', error)
  }
}
