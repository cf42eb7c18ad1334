// Races: of many who write at once one wins, and the record is the winner's. The same for a read by somebody else.
import type { RecordId, Stored } from '../../store.js'
import { fresh, load, type OpenInstance, saveFirst, saveLate, saveNext, withInstances } from './asking.js'
import type { Place, Racer } from './crews.js'
import { found } from './defects.js'
import type { Told } from './jobs.js'

/** Records that are raced for in one job. */
const RECORDS = { here: 5, apart: 40 }
/** Writes of each racer who goes on and on. */
const ATTEMPTS = 40
/** Rounds of reads. */
const ROUNDS = 10

/** A first save never replaces a record. */
export async function firstSave(open: OpenInstance): Promise<void> {
  await withInstances(open, 1, async ([store]) => {
    const id = { user: `${fresh()} first` }
    const there = await load(store!, id)
    if (there !== undefined) found('wrong answer', '`load` gave a record of a user who has none')
    if (await saveLate(store!, id, 'from nowhere', 7)) {
      if ((await load(store!, id)) === undefined)
        found('true without a write', 'a save with a version said true where no record is, and wrote nothing')
      found('write where nothing is', 'a save with a version made a record where there was none')
    }
    if ((await load(store!, id)) !== undefined)
      found('write without true', 'a save with a version said false where no record is, and wrote one')
    await saveFirst(store!, id, 'first')
    const again = await saveLate(store!, id, 'second')
    const record = (await load(store!, id))?.record
    if (again && record === 'second')
      found('overwritten first save', 'a save without a version replaced the record that was there')
    if (again)
      found('true without a write', 'a second first save of a user said true, and the record is still the first')
    if (record !== 'first')
      found('write without true', 'a second first save of a user said false, and changed the record')
  })
}

/** A save writes at the version that is stored, and at no other one. */
export async function nextSave(open: OpenInstance): Promise<void> {
  await withInstances(open, 1, async ([store]) => {
    const id = { user: `${fresh()} next` }
    const first = await saveFirst(store!, id, 'first')
    const second = await saveNext(store!, id, 'second', first.version)
    const late = await saveLate(store!, id, 'late', first.version)
    const record = (await load(store!, id))?.record
    if (late && record === 'late')
      found('lost update', 'a save that named the version before the last one got true and replaced the record')
    if (late)
      found('true without a write', 'a save that named the version before the last one got true, and wrote nothing')
    if (record !== 'second') found('write without true', 'a save at an old version said false, and changed the record')
    await saveNext(store!, id, 'third', second.version)
  })
}

/** Of writers who race for a first save, or for one version, one wins each time. */
export const race = (kind: 'first' | 'next', place: Place) => (): Promise<void> =>
  place.race(async (racers) => {
    const run = fresh()
    const ids = Array.from({ length: place.apart ? RECORDS.apart : RECORDS.here }, (_, n) => ({
      user: `${run} ${kind} ${n}`,
    }))
    const before: (Stored | undefined)[] = []
    if (kind === 'next') for (const id of ids) before.push(await racers[0]!.run('write', { id, record: 'before' }))
    const targets = ids.map((id, at) => ({ id, expected: before[at]?.version }))
    const told = await Promise.all(
      racers.map((racer, n) => racer.run('race', { targets, burst: place.burst, racer: `racer ${n}` })),
    )
    for (const [at, id] of ids.entries()) {
      const all = told.flatMap((each) => each[at]!)
      const [won, ...more] = all.filter(({ told }) => told === true)
      const isOne = won !== undefined && more.length === 0
      const after = isOne ? racers[0]!.run('readBack', { id, record: won.record }) : racers[0]!.run('load', id)
      judge(all, before[at], await after, place.name)
    }
  })

function judge(all: Told[], before: Stored | undefined, after: Stored | undefined, where: string): void {
  const winners = all.filter(({ told }) => told === true)
  const named = before === undefined ? 'made the first save of one user' : `named version ${before.version}`
  if (winners.length > 1)
    found(
      before === undefined ? 'two first saves' : 'lost update',
      `${winners.length} of ${all.length} writers who ${named} at once, ${where}, got true`,
    )
  const threw = all.filter(({ told }) => typeof told === 'string')
  if (threw.length > 0)
    found(
      threw.length === all.length ? 'error' : 'error on a lost race',
      `${threw.length} of ${all.length} writers who ${named} at once, ${where}, got an error: ${threw[0]!.told}`,
    )
  const owner = all.find(({ record }) => record === after?.record)
  if (owner?.told === false)
    found('write without true', `a writer who ${named}, ${where}, got false, and its record is stored`)
  if (winners.length === 0) found('no winner', `none of ${all.length} writers who ${named} at once, ${where}, got true`)
  if (owner !== winners[0])
    found(
      'true without a write',
      `one writer who ${named}, ${where}, got true, and its record is not the one that is stored`,
    )
}

/** Of writers who go on and on, none takes a number that another one has. */
export const steadyWriters = (place: Place) => (): Promise<void> =>
  place.race(async (racers) => {
    const id = { user: `${fresh()} count` }
    const counted = await Promise.all(
      racers.map((racer, n) => racer.run('count', { id, attempts: ATTEMPTS, racer: `racer ${n}` })),
    )
    const records = new Map<number, string>()
    for (const { record, version } of counted.flatMap((each) => each.read)) {
      if ((records.get(version) ?? record) !== record)
        found('lost update', `a read gave one record with the version of another, ${place.name}, while others wrote`)
      records.set(version, record)
    }
    const won = counted.flatMap((each) => each.won)
    const threw = counted.reduce((sum, each) => sum + each.threw, 0)
    const last = Number.parseInt((await racers[0]!.run('load', id))?.record ?? '0', 10)
    const lost = won.length - new Set(won).size
    if (lost > 0 || won.length > last)
      found(
        'lost update',
        `${racers.length} writers counted up ${won.length} times, ${place.name}, and the record counts ${last}`,
      )
    if (last > won.length + threw)
      found('write without true', `the record counts ${last}, ${place.name}, and only ${won.length} saves said true`)
    if (won.length === 0)
      found('no winner', `none of ${racers.length * ATTEMPTS} saves one after another, ${place.name}, got true`)
  })

/** A read gives the newest record, whoever wrote it. */
export const newestRead = (place: Place) => (): Promise<void> =>
  place.race(async (racers) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const id = { user: `${fresh()} newest ${round}` }
      await readBy(racers, id, undefined, place.name) // A cache now knows that there is none.
      for (const record of ['the first save', 'the second save', 'the third save']) {
        const writer = racers[round % racers.length]!
        const expected = (await writer.run('load', id))?.version
        await writer.run('write', { id, record, expected })
        await readBy(racers, id, record, place.name)
      }
    }
  })

async function readBy(racers: Racer[], id: RecordId, record: string | undefined, where: string): Promise<void> {
  const reads = await Promise.all(racers.map((each) => each.run('load', id)))
  for (const read of reads) {
    if (read?.record === record) continue
    found(
      'stale read',
      `right after ${record ?? 'nothing'} of a user, ${where}, a read gave ${read === undefined ? 'no record' : 'the record before it'}`,
    )
  }
}
