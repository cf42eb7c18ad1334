// The promises of a store, as tests that every store passes:
//
//   storeContract('postgresStore', async (t) => {
//     const pool = new Pool({ connectionString: (await startPostgres(t)).url })
//     t.after(() => pool.end())
//     return postgresStore(pool)
//   })
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createSecondFactor, generateKeys, totp } from 'countersign'

/** Bytes of the longest record. */
const LONGEST = 65_536

/** Ids of different users. Some databases take two of them for one, and some texts read like a part of a statement. */
export const IDS = [
  ...['ann', 'ANN', 'Ann', 'änn', 'a\u0308nn', 'ann ', ' ann', 'ann\u00a0', 'ann\u200b', '\ufeffann', 'ａnn'],
  ...['i', 'I', 'ı', 'İ', 'ss', 'ß', 'ﬀ', 'ff', '0', '00', '1e0', 'null', 'NULL', 'true', '__proto__', 'constructor'],
  ...[
    "o'neil",
    "o''neil",
    '"ann"',
    '`ann`',
    'a\\nn',
    "a\\'nn",
    'ann\\',
    "\\' OR 1=1 -- ",
    "'); DROP TABLE second_factor; --",
  ],
  ...[
    '?',
    '$1',
    ':user',
    '%',
    '_',
    '*',
    '{}',
    '{ann}',
    '[ann]',
    '[^a]*',
    'a:b',
    'a.b',
    'a/b',
    '..',
    '~',
    '\u00bf\\',
    'ソ',
  ],
  ...['x'.repeat(256), `${'x'.repeat(255)}y`, '😀'.repeat(64), `${'😀'.repeat(63)}🎉`, '🎉', '😀', '?'.repeat(64)],
]

/**
 * Declares the tests.
 * @param {string} name
 * @param {(t: { after(end: () => unknown): void }) => any} open  gives an empty store that has all of `WholeStore`; it is called
 *   once. What it hands to `after` runs when the tests have ended, the last first
 */
export function storeContract(name, open) {
  describe(`${name} keeps the contract of a store`, () => {
    let store
    const ends = []
    before(async () => {
      store = await open({ after: (end) => void ends.unshift(end) })
    })
    after(async () => {
      for (const end of ends) await end()
    })

    test('a save writes only over the version that it names', async () => {
      const id = { user: 'writer' }
      assert.equal(await store.load(id), undefined, 'nothing is there yet')
      assert.equal(await store.save(id, 'x', 7), false, 'nothing is there to replace')
      assert.equal(await store.load(id), undefined)
      assert.equal(await store.save(id, 'first', undefined), true)
      const first = await store.load(id)
      assert.deepEqual(first, { record: 'first', version: first.version })
      assert.ok(Number.isSafeInteger(first.version) && first.version > 0, `version ${first.version}`)
      assert.equal(await store.save(id, 'second', undefined), false, 'a record is there already')
      assert.equal(await store.save(id, 'second', first.version + 1), false, 'another version')
      assert.deepEqual(await store.load(id), first)
      assert.equal(await store.save(id, 'second', first.version), true)
      const second = await store.load(id)
      assert.equal(second.record, 'second')
      assert.notEqual(second.version, first.version)
      assert.equal(await store.save(id, 'late', first.version), false)
      assert.equal(await store.save(id, 'second', second.version), true, 'the same text is a write as well')
      assert.notEqual((await store.load(id)).version, second.version)
    })

    test('a deletion names the version, and no version returns after it', async () => {
      const id = { account: 'acme', user: 'leaver' }
      assert.equal(await store.delete(id, 1), false, 'nothing is there')
      await store.save(id, 'first', undefined)
      const { version } = await store.load(id)
      assert.equal(await store.delete(id, version + 1), false)
      assert.equal(await store.delete({ user: 'leaver' }, version), false, 'another user')
      assert.equal(await store.delete(id, version), true)
      assert.equal(await store.load(id), undefined)
      assert.equal(await store.delete(id, version), false)
      assert.equal(await store.save(id, 'late', version), false, 'a late writer finds nothing')
      await store.save(id, 'second', undefined)
      assert.equal(await store.save(id, 'late', version), false, 'a late writer finds another record')
      assert.equal((await store.load(id)).record, 'second')
    })

    test('D1: of 20 first saves at once exactly one is true', async () => {
      const id = { user: 'many first' }
      const saved = await atOnce((n) => store.save(id, `record ${n}`, undefined))
      assert.equal(count(saved), 1, JSON.stringify(saved))
      assert.equal((await store.load(id)).record, `record ${saved.indexOf(true)}`)
    })

    test('D1: of 20 updates at once exactly one is true', async () => {
      const id = { user: 'many updates' }
      await store.save(id, 'first', undefined)
      const { version } = await store.load(id)
      const saved = await atOnce((n) => store.save(id, `record ${n}`, version))
      assert.equal(count(saved), 1, JSON.stringify(saved))
      assert.equal((await store.load(id)).record, `record ${saved.indexOf(true)}`)
    })

    test('D1: of 10 deletions and 10 updates at once exactly one is true', async () => {
      const id = { user: 'updates and deletions' }
      await store.save(id, 'first', undefined)
      const { version } = await store.load(id)
      const done = await atOnce((n) => (n % 2 ? store.delete(id, version) : store.save(id, `record ${n}`, version)))
      assert.equal(count(done), 1, JSON.stringify(done))
      const winner = done.indexOf(true)
      assert.equal((await store.load(id))?.record, winner % 2 ? undefined : `record ${winner}`)
    })

    test('D3: different ids are different users', async () => {
      await differentIds(IDS.map((user) => ({ account: 'ids', user })))
    })

    test('D3: different ids are different accounts, and none is no account', async () => {
      await differentIds([{ user: 'same' }, ...IDS.map((account) => ({ account, user: 'same' }))])
    })

    async function differentIds(ids) {
      const saved = await Promise.all(ids.map((id, n) => store.save(id, `record ${n}`, undefined)))
      assert.deepEqual(
        ids.filter((_, n) => !saved[n]),
        [],
        'taken for another one',
      )
      const records = await Promise.all(ids.map(async (id) => (await store.load(id))?.record))
      assert.deepEqual(
        records,
        ids.map((_, n) => `record ${n}`),
      )
      const listed = (await all(ids[0].account ?? ids[1].account)).map(({ id }) => id)
      const own = ids.filter(({ account }) => account === (ids[0].account ?? ids[1].account))
      assert.deepEqual(sorted(listed.filter(({ user }) => own.some((id) => id.user === user))), sorted(own))
      assert.equal(await store.load({ account: 'ids', user: 'nobody' }), undefined)
      assert.equal(await store.load({ account: 'nobody', user: 'same' }), undefined)
    }

    test('a record of 64 KiB comes back as it was', async () => {
      for (const part of ['x', '⚿"\\\n', "😀'\r\n\t", '{"a":"\\u0000 \\\\ ? $1 :x"}', 'a\u0308\ufeff\u2028 ']) {
        const times = Math.floor(LONGEST / Buffer.byteLength(part))
        const record = (part.repeat(times) + 'x'.repeat(LONGEST)).slice(0, part.length * times)
        const long = record + 'x'.repeat(LONGEST - Buffer.byteLength(record))
        const id = { account: 'long', user: part.trim() }
        assert.equal(await store.save(id, long, undefined), true)
        const first = await store.load(id)
        assert.ok(first.record === long, JSON.stringify(part))
        assert.equal(await store.save(id, `${part}!`, first.version), true)
        assert.equal((await store.load(id)).record, `${part}!`)
      }
    })

    test('a version of 53 bits is exact', async (t) => {
      for (const version of [1, 2 ** 32, 134_880_170_606_594, 2 ** 53 - 2, 2 ** 53 - 1]) {
        const id = { account: 'versions', user: String(version) }
        assert.equal(await withVersion(t, version, () => store.save(id, 'first', undefined)), true)
        assert.deepEqual(await store.load(id), { record: 'first', version })
        for (const other of [version - 1, version + 1].filter(Number.isSafeInteger))
          assert.equal(await store.save(id, 'late', other), false, `${other} for ${version}`)
        const next = version - 1 || 3
        assert.equal(await withVersion(t, next, () => store.save(id, 'second', version)), true)
        assert.deepEqual(await store.load(id), { record: 'second', version: next })
        assert.equal(await store.delete(id, version), false)
        assert.equal(await store.delete(id, next), true)
      }
    })

    /** All records, by pages. */
    async function all(account, limit = 7) {
      const records = []
      for (let after, pages = 0; ; pages += 1) {
        assert.ok(pages < 200, 'the pages come to an end')
        const page = await store.list({ ...(account === undefined ? {} : { account }), after, limit })
        records.push(...page.records)
        if (page.next === undefined) return records
        assert.equal(typeof page.next, 'string')
        after = page.next
      }
    }

    test('pages list each record once', async () => {
      const made = Array.from({ length: 25 }, (_, n) => ({
        id: n % 5 ? { account: `pages ${n % 2}`, user: `user ${n}` } : { user: `pages ${n}` },
        record: `record ${n} 😀`,
      }))
      for (const { id, record } of made) assert.equal(await store.save(id, record, undefined), true)
      for (const limit of [1, 4, 1000]) {
        const listed = (await all(undefined, limit)).filter(({ id }) => made.some((one) => same(one.id, id)))
        assert.deepEqual(
          sorted(listed.map(({ id, record }) => ({ id, record }))),
          sorted(made.map(({ id, record }) => ({ id, record }))),
        )
        for (const { id, version } of listed) assert.equal((await store.load(id)).version, version)
        const ofOne = await all('pages 1', limit)
        assert.deepEqual(
          sorted(ofOne.map(({ id }) => id)),
          sorted(made.map(({ id }) => id).filter(({ account }) => account === 'pages 1')),
        )
      }
      assert.deepEqual((await store.list({ account: 'nobody', limit: 10 })).records, [])
    })

    test('insertMany writes only records of users who have none', async () => {
      const records = Array.from({ length: 250 }, (_, n) => ({
        id: { account: 'many', user: `user ${n}` },
        record: `new ${n}`,
      }))
      const there = [0, 7, 120, 249]
      for (const n of there) await store.save(records[n].id, `old ${n}`, undefined)
      assert.deepEqual(await store.insertMany([]), [])
      const inserted = await store.insertMany(records)
      assert.deepEqual(
        inserted,
        records.map((_, n) => !there.includes(n)),
      )
      const listed = await all('many', 100)
      assert.deepEqual(
        sorted(listed.map(({ record }) => record)),
        sorted(records.map((_, n) => (there.includes(n) ? `old ${n}` : `new ${n}`))),
      )
      assert.equal(new Set(listed.map(({ version }) => version)).size, 250, 'each has a version of its own')
      assert.deepEqual(await store.insertMany(records.slice(0, 3)), [false, false, false])
    })

    test('of entries about one user the latest counts, in any order', async () => {
      const times = { now: 1_000, until: 2_000 }
      const epochs = ['000000001000.aaaaaaaaaaaa', '000000001000.baaaaaaaaaaa', '000000000999.zzzzzzzzzzzz']
      for (const time of [990, 1_000, 7]) await store.revoke({ users: { ann: time } }, times)
      for (const epoch of epochs) await store.revoke({ accounts: { acme: { epochs: { ann: epoch } } } }, times)
      await store.revoke({ users: { bea: 5 }, epochs: { cem: epochs }, sessions: ['s1', 's2'] }, times)
      await store.revoke({ sessions: ['s1'] }, times)

      const list = await store.revoked()
      assert.equal(list.users.ann, 1_000)
      assert.equal(list.users.bea, 5)
      assert.equal(latest(list.accounts.acme.epochs.ann), epochs[1])
      assert.equal(latest(list.epochs.cem), epochs[1])
      assert.deepEqual(list.sessions.filter((id) => id.startsWith('s')).sort(), ['s1', 's2'])

      const about = await store.revoked({ account: 'acme', user: 'ann', session: 's2' })
      assert.equal(latest(about.accounts.acme.epochs.ann), epochs[1])
      assert.ok(about.sessions.includes('s2'))
      assert.equal((await store.revoked({ user: 'ann', session: 's3' })).users.ann, 1_000)
      const nobody = await store.revoked({ account: 'other', user: 'ann', session: 'none' })
      assert.equal(nobody.accounts?.other?.users?.ann ?? nobody.accounts?.other?.epochs?.ann, undefined)
      assert.ok(!nobody.sessions?.includes('none'))
    })

    test('an entry is kept until its later end', async () => {
      const kept = async () =>
        Object.keys((await store.revoked()).users)
          .filter((id) => id.startsWith('kept'))
          .sort()
      await store.revoke({ users: { 'kept 1': 1 } }, { now: 5_000, until: 6_000 })
      await store.revoke({ users: { 'kept 2': 1 } }, { now: 5_000, until: 7_000 })
      await store.revoke({ users: { 'kept 2': 2 } }, { now: 5_000, until: 5_500 })
      await store.revoke({ users: { 'kept 3': 1 } }, { now: 5_999, until: 9_000 })
      assert.deepEqual(await kept(), ['kept 1', 'kept 2', 'kept 3'])
      await store.revoke({ users: { 'kept 3': 1 } }, { now: 6_999, until: 9_000 })
      assert.ok((await kept()).includes('kept 2'), 'the later end counts')
    })

    test('D3: the revocation list takes any id', async () => {
      const times = { now: 10_000, until: 20_000 }
      const users = Object.fromEntries(IDS.map((id, n) => [id, n + 1]))
      Object.defineProperty(users, '__proto__', { value: 99, enumerable: true })
      const accounts = { ids: { users } }
      await store.revoke({ accounts, sessions: IDS }, times)
      const { accounts: listed, sessions } = await store.revoked()
      for (const id of Object.keys(users)) {
        assert.equal(listed.ids.users[id], users[id], JSON.stringify(id))
        const about = await store.revoked({ account: 'ids', user: id, session: 'none' })
        assert.equal(about.accounts.ids.users[id], users[id], JSON.stringify(id))
      }
      for (const id of IDS) assert.ok(sessions.includes(id), JSON.stringify(id))
    })

    test('20 writers of the revocation list lose nothing', async () => {
      const times = { now: 10_000, until: 20_000 }
      await atOnce((n) => store.revoke({ users: { crowd: n }, sessions: [`crowd ${n}`] }, times))
      const { users, sessions } = await store.revoked()
      assert.equal(users.crowd, 19)
      assert.equal(sessions.filter((id) => id.startsWith('crowd ')).length, 20)
    })
  })
}

/**
 * Brings one authenticator code 100 times at once, through several stores on one database, as several processes would; gives
 * the results of the replies.
 */
export async function sameCodeAtOnce(stores) {
  const { hosts, user, code } = await userWithApp(stores)
  const logins = await Promise.all(
    Array.from({ length: 100 }, async (_, n) => {
      const session = `session ${n}`
      const { result, ticket } = await hosts[n % hosts.length].begin({ user, session })
      assert.equal(result, 'challenge', 'each store sees the set-up at once')
      return { ticket, session, newSession: `${session} in`, method: 'totp', code: code() }
    }),
  )
  const replies = await Promise.all(logins.map((login, n) => hosts[n % hosts.length].verify(login)))
  return replies.map(({ result }) => result)
}

/**
 * Brings a code twice. Right before the first time it calls `lose`, after which the write of the store lands and its answer
 * does not arrive. Gives the results of both replies.
 */
export async function codeWithLostAnswer(store, lose) {
  const { hosts, user, code } = await userWithApp([store])
  const { ticket } = await hosts[0].begin({ user, session: 's' })
  const login = { ticket, session: 's', newSession: 'in', method: 'totp', code: code() }
  await lose()
  const first = await hosts[0].verify(login)
  const second = await hosts[0].verify(login)
  return [first.result, second.result]
}

/** A host on each of the stores of one database, and a user with an authenticator app, whose next code is not used yet. */
async function userWithApp(stores) {
  let time = 1_700_000_000
  const keys = generateKeys()
  const policy = { v: 1, name: 'Acme', origin: 'https://acme.example' }
  const hosts = stores.map((store) => createSecondFactor({ policy, keys, store, clock: () => time }))
  const user = `ann ${Math.random()}`
  const { setup, secret } = await hosts[0].enrollTotp({ user, session: 's', label: user })
  const code = () => totp.generate({ secret: secret.replaceAll(' ', ''), time })
  assert.equal((await hosts[0].confirmTotp({ user, session: 's', setup, code: code() })).result, 'enrolled')
  time += 60
  return { hosts, user, code }
}

const atOnce = (job) => Promise.all(Array.from({ length: 20 }, (_, n) => job(n)))
const count = (results) => {
  for (const result of results) assert.equal(typeof result, 'boolean')
  return results.filter(Boolean).length
}
const sorted = (values) => values.map((value) => JSON.stringify(value)).sort()
const same = (one, other) => one.account === other.account && one.user === other.user
const latest = (epoch) => [epoch].flat().sort().at(-1)

/** Runs a job in which each new version is this one. */
async function withVersion(t, version, job) {
  const { mock } = t.mock.method(globalThis.crypto, 'getRandomValues', (array) => {
    assert.equal(array.length, 2)
    array.set([Math.floor(version / 2 ** 32), version % 2 ** 32])
    return array
  })
  try {
    return await job()
  } finally {
    mock.restore()
  }
}
