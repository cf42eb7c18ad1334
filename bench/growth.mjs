// Costs against a number: of networks in a policy, of users in a store, of passes that come in turn. jobs.mjs has the shape of a job.
// @ts-nocheck: the peers are installed only by `npm run bench`
import { BlockList } from 'node:net'
import Database from 'better-sqlite3'
import { createSecondFactor, generateKeys, memoryStore, policy } from 'countersign'
import { sqliteStore } from 'countersign/stores/sqlite'
import ipaddr from 'ipaddr.js'
import { enrolled, inTurn, passes } from './calls.mjs'
import { compare, expect } from './compare.mjs'

/** Measures each number, and gives a series for each candidate: its microseconds, number by number. */
async function grow(numbers, candidatesOf) {
  const micros = {}
  // The first number twice: its first turn warms up, and the second one takes its place.
  for (const number of [numbers[0], ...numbers])
    for (const [name, cost] of Object.entries(
      await compare(await candidatesOf(number), { rounds: 5, milliseconds: 40 }),
    ))
      micros[name] = { ...micros[name], [number]: cost }
  return { micros }
}

/** One address against so many networks, and in none of them, so that no search ends early. */
export const networks = () =>
  grow([10, 100, 1_000, 10_000, 100_000], async (count) => {
    const list = Array.from({ length: count }, (_, i) => `${10 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`)
    const ip = '192.0.2.1'
    const document = policy.parse({ v: 1, name: 'Acme', origin: 'https://acme.example', network: { deny: list } })
    const factor = createSecondFactor({ policy: document, keys: generateKeys(), store: memoryStore() })
    const parsed = list.map((network) => ipaddr.parseCIDR(network))
    const blocked = new BlockList()
    for (const network of list) blocked.addSubnet(network.split('/')[0], 24)
    const candidates = {
      'countersign, begin': async () => (await factor.begin({ user: 'ann', session: 's', ip })).result === 'denied',
      'countersign, policy.decide': () =>
        policy.decide(document, { ip, enrollment: 'usable' }).rules.includes('deny_rule'),
      'ipaddr.js, match in a loop': () => {
        const address = ipaddr.parse(ip)
        return parsed.some((network) => address.match(network))
      },
      'node:net BlockList': () => blocked.check(ip),
    }
    for (const call of Object.values(candidates)) expect((await call()) === false, 'networks')
    return candidates
  })

/** `begin` of a user among so many, each of whom has an app. */
export const records = () =>
  grow([1, 100, 10_000, 100_000], async (count) => {
    const db = new Database(':memory:')
    const candidates = {}
    for (const [name, store] of Object.entries({
      memoryStore: memoryStore(),
      'sqliteStore, better-sqlite3': sqliteStore(db),
    })) {
      const { factor } = await enrolled(generateKeys(), store)
      const { record } = await store.load({ user: 'ann' })
      db.exec('BEGIN')
      for (let i = 0; i < count; i += 1)
        await store.save({ user: `user-${i}` }, record.replaceAll('"ann"', `"user-${i}"`), undefined)
      db.exec('COMMIT')
      const user = `user-${count >> 1}`
      const begin = async () => (await factor.begin({ user, session: 's' })).result === 'challenge'
      expect(await begin(), 'records')
      candidates[`countersign, begin, ${name}`] = begin
    }
    return candidates
  })

/** So many passes, which come in turn. Each is checked whole; those of before are remembered, with a bound. */
export const manyPasses = () =>
  grow([1, 100, 1_000, 2_000, 5_000], async (count) => {
    const { all, ours, theirs } = await passes(count)
    return { 'countersign, checkPass': inTurn(ours, all), 'jose, jwtVerify': inTurn(theirs, all) }
  })
