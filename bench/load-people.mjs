// People with an app, and their records: those who log in, spread evenly among others who never do. All are made once for a run,
// because all databases hold the same.
// @ts-nocheck: the peers are installed only by `npm run bench`
import { createSecondFactor, generateKeys, memoryStore, totp } from 'countersign'
import { Secret } from 'otpauth'
import { codeAt } from './by-hand.mjs'
import { ADVANCE, expect, START } from './compare.mjs'

const RULES = { v: 1, name: 'Acme', origin: 'https://acme.example', methods: ['totp', 'backup_code'] }
/** People who log in, at most, of those that come with each size. */
const ACTIVE = 3_000

/**
 * Plain data: the keys, and for each size the people who come with it and log in, each with number, secret and record, in an
 * order that has nothing to do with their numbers.
 * @param {number[]} sizes  numbers of records, growing
 */
export async function makePeople(sizes) {
  const keys = generateKeys()
  // A record has ten hashed codes beside the app. Hashes are slow, so that all have those of one user.
  const { backup, setsMade } = JSON.parse((await enrolled(keys, RULES, 'user-pattern')).record)
  const groups = []
  let from = 0
  for (const size of sizes) {
    const count = Math.min(ACTIVE, size - from)
    const stride = Math.floor((size - from) / count)
    const people = []
    for (let turn = 0; turn < count; turn += 1) {
      const number = from + turn * stride
      const { secret, record } = await enrolled(keys, { ...RULES, methods: ['totp'] }, userOf(number))
      people.push({ number, secret, record: JSON.stringify({ ...JSON.parse(record), backup, setsMade }) })
    }
    groups.push({ from, to: size, people: people.sort(() => Math.random() - 0.5) })
    from = size
  }
  return { keys, groups }
}

const userOf = (number) => `user-${number}`

async function enrolled(keys, policy, user) {
  const store = memoryStore()
  const factor = createSecondFactor({ policy, keys, store, clock: () => START })
  const { secret, setup } = await factor.enrollTotp({ user, session: 'in', label: user })
  const code = totp.generate({ secret, time: START })
  expect((await factor.confirmTotp({ user, session: 'in', setup, code })).result === 'enrolled', 'set-up')
  return { secret: secret.replaceAll(' ', ''), ...(await store.load({ user })) }
}

/** All records that come with a size. */
export function* recordsOf({ from, to, people }) {
  const own = new Map(people.map(({ number, record }) => [number, record]))
  const [{ number: pattern, record: text }] = people
  for (let number = from; number < to; number += 1) {
    const record = own.get(number) ?? text.replace(`"${userOf(pattern)}"`, `"${userOf(number)}"`)
    yield { id: { user: userOf(number) }, record }
  }
}

/**
 * The logins of a host with a store. Each client is a login handler with a clock of its own, so that no code of a user comes
 * twice; `login` gives the milliseconds of the second step.
 */
export function handlers(keys, store) {
  let latest = START
  return () => {
    let now = latest
    const factor = createSecondFactor({ policy: RULES, keys, store, clock: () => now })
    return async ({ number, secret }) => {
      now += ADVANCE
      latest = Math.max(latest, now)
      const code = codeAt(keyOf(secret), now / 30)
      const { ticket } = await factor.begin({ user: userOf(number), session: 'out' })
      const start = performance.now()
      const { result } = await factor.verify({ ticket, session: 'out', newSession: 'in', method: 'totp', code })
      expect(result === 'verified', 'login')
      return performance.now() - start
    }
  }
}

export const keyOf = (secret) => Buffer.from(Secret.fromBase32(secret).buffer)
