// `countersign import`: a dry run first, then the import, which a second run does not change.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { createOperator } from 'countersign/operator'
import { commandHost, run } from './command-support.mjs'
import { exported, FORMATS, REASONS } from './import-support.mjs'
import { withApp } from './support.mjs'

const TEXT = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const write = ['--write', '--operator', 'Jo']
const csvOf = (users, secret = TEXT) => `user,secret\n${users.map((user) => `${user},${secret}\n`).join('')}`
const linesOf = (text) => text.split('\n').filter(Boolean)

async function usersOf(at) {
  const { users } = await createOperator(at.options).list({ limit: 1_000 })
  return users.map(({ account, user }) => (account === undefined ? user : `${account}/${user}`)).sort()
}

/** Whether the user logs in by the next code of oathtool. */
async function logsIn(at, user, secret, options = ['--totp']) {
  at.clock.advance(60)
  const { ticket } = await at.factor.begin({ user, session: 'before' })
  const code = execFileSync('oathtool', [...options, '--base32', secret, '--now', `@${at.clock()}`], {
    encoding: 'utf8',
  })
  const given = { ticket, session: 'before', newSession: 'in', method: 'totp', code: code.trim() }
  return (await at.factor.verify(given)).result === 'verified'
}

test('a dry run stores nothing, the import lets users in by their old app, and a second run changes nothing', async (t) => {
  const at = await commandHost(t)
  const file = at.file('users.csv', exported('otplib-12.csv'))
  const dry = await at.run(['import', '--from', 'csv', file])
  assert.deepEqual([dry.code, dry.stdout], [0, ''], dry.stderr)
  assert.match(
    dry.stderr,
    /^20 read\n20 to import\n {2}\d+ of them with a secret below 160 bits.*\n0 there already\n0 refused\nnothing was stored/,
  )
  assert.deepEqual(await usersOf(at), [])
  const first = await at.run(['import', '--from', 'csv', file, ...write])
  assert.deepEqual([first.code, first.stdout], [0, ''], first.stderr)
  assert.match(first.stderr, /^20 read\n20 imported\n/)
  assert.equal((await usersOf(at)).length, 20)
  const records = async () => Promise.all((await usersOf(at)).map((user) => at.store.load({ user })))
  const before = await records()
  const second = await at.run(['import', '--from', 'csv', file, ...write])
  assert.match(second.stderr, /^20 read\n0 imported\n20 there already\n0 refused\n$/)
  assert.deepEqual(await records(), before)
  for (const line of linesOf(exported('otplib-12.csv')).slice(1, 6)) {
    const [user, secret] = line.split(',')
    assert.ok(await logsIn(at, user, secret), user)
  }
  const events = linesOf(readFileSync(at.events, 'utf8')).map((line) => JSON.parse(line))
  assert.deepEqual([events.length, events[0].event, events[0].operator], [20, 'totp_imported', 'Jo'])
})

test('T54: what is refused is told with its reason and without a secret, ends with 3, and keeps nobody back', async (t) => {
  const at = await commandHost(t)
  const enrolled = await withApp(at, 'enrolled')
  const text = `${csvOf(['ann', 'enrolled', 'ann'])}bob,${TEXT}1\ncarol,${TEXT.slice(0, 17)}\n,${TEXT}\ndan\neve,${TEXT}\n`
  const file = at.file('users.csv', text)
  const report = join(at.folder, 'report.jsonl')
  const { code, stdout, stderr } = await at.run(['import', '--from', 'csv', file, ...write, '--report', report])
  assert.equal(code, 3, stderr)
  assert.deepEqual(
    linesOf(stdout)
      .map((line) => line.split('\t').slice(0, 3))
      .sort(),
    [
      ['line 3', 'enrolled', 'has_factor'],
      ['line 4', 'ann', 'second_app'],
      ['line 5', 'bob', 'bad_secret'],
      ['line 6', 'carol', 'secret_length'],
      ['line 7', '', 'no_user'],
      ['line 8', '', 'unreadable'],
    ],
  )
  assert.match(stderr, /^8 read\n2 imported\n0 there already\n6 refused\n/)
  assert.deepEqual(await usersOf(at), ['ann', 'enrolled', 'eve'])
  const told = linesOf(readFileSync(report, 'utf8')).map((line) => JSON.parse(line))
  assert.deepEqual(
    told.find(({ user }) => user === 'eve'),
    { row: 'line 9', user: 'eve', result: 'imported' },
  )
  assert.equal(told.filter(({ result }) => result === 'refused').length, 6)
  assert.equal(statSync(report).mode & 0o777, 0o600)
  assert.ok(!`${stdout}${stderr}${readFileSync(report)}`.includes(TEXT.slice(0, 8)), 'no secret is shown')
  assert.ok(!(await logsIn(at, 'enrolled', TEXT)))
  assert.ok(await logsIn(at, 'enrolled', enrolled.secret))
  const again = await at.run(['import', '--from', 'csv', file, '--report', report])
  assert.equal(again.code, 1, 'no report is overwritten')
  const only = at.file('one.csv', csvOf(['enrolled']))
  assert.equal((await at.run(['import', '--from', 'csv', only, ...write, '--replace'])).code, 0)
  assert.ok(await logsIn(at, 'enrolled', TEXT))
})

test('an import that is cut off is run again', async (t) => {
  const at = await commandHost(
    t,
    `const { insertMany } = options.store
     let batches = 0
     options.store = { ...options.store, insertMany: async (records) => {
       const inserted = await insertMany.call(options.store, records)
       if (process.env.CUT && (batches += 1) === 3) process.kill(process.pid, 'SIGKILL')
       return inserted
     } }`,
  )
  const users = Array.from({ length: 1_000 }, (_, n) => `u${n}`)
  const file = at.file('users.csv', csvOf(users))
  const cut = await at.run(['import', '--from', 'csv', file, ...write], { env: { CUT: '1' } })
  assert.equal(cut.signal, 'SIGKILL')
  const there = (await usersOf(at)).length
  assert.ok(there >= 100 && there < 1_000, `${there}`)
  const rest = await at.run(['import', '--from', 'csv', file, ...write])
  assert.equal(rest.code, 0, rest.stderr)
  assert.ok(rest.stderr.includes(`\n${there} there already\n`), rest.stderr)
  assert.deepEqual((await usersOf(at)).length, 1_000)
  assert.ok(await logsIn(at, 'u0', TEXT))
  assert.ok(await logsIn(at, 'u999', TEXT))
})

test('a store that is down ends the import, and nothing is half imported', async (t) => {
  const at = await commandHost(
    t,
    `const down = () => Promise.reject(new Error('the database is down'))
     options.store = { ...options.store, load: down, save: down, insertMany: down }`,
  )
  const file = at.file('users.csv', csvOf(Array.from({ length: 1_000 }, (_, n) => `u${n}`)))
  const { code, stderr } = await at.run(['import', '--from', 'csv', file, ...write])
  assert.equal(code, 1)
  assert.match(stderr, /200 entries in a row failed: mend that, and run it again\ncaused by: the database is down/)
  assert.deepEqual(await usersOf(at), [])
})

test('users are given the ids of the host by a file, and the account of the command', async (t) => {
  const at = await commandHost(t)
  const uris = at.file(
    'uris.txt',
    ['ann', 'bob', 'carol'].map((name) => `otpauth://totp/Acme:${name}?secret=${TEXT}&issuer=Acme\n`).join(''),
  )
  const users = at.file('map.csv', 'from,user,account\nann,1,\nbob,2,beta\n')
  const args = ['import', '--from', 'otpauth', uris, '--users', users, '--account', 'acme', ...write]
  const { code, stdout } = await at.run(args)
  assert.equal(code, 3)
  assert.equal(stdout, 'line 3\tcarol\tunknown_user\tthe user is not in the file of --users\n')
  assert.deepEqual(await usersOf(at), ['acme/1', 'beta/2'])
  for (const [text, words] of [
    ['from,user\nann,1\nann,2\n', /line 3: gives a user a second time/],
    ['from,user\nann\n', /line 2: the header has 2 fields/],
    ['from,id\nann,1\n', /line 2: must have the columns/],
  ]) {
    const wrong = await at.run(['import', '--from', 'otpauth', uris, '--users', at.file('wrong.csv', text)])
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /** @type {RegExp} */ (words))
  }
})

test('several files, and what is piped in', async (t) => {
  const at = await commandHost(t)
  const [one, two] = ['one.csv', 'two.csv'].map((name, n) => at.file(name, csvOf([`u${n}`, ''])))
  const { stdout } = await at.run(['import', '--from', 'csv', one, two])
  assert.deepEqual(
    linesOf(stdout).map((line) => line.split('\t')[0]),
    [`${one}: line 3`, `${two}: line 3`],
  )
  const piped = await at.run(['import', '--from', 'csv', '-', ...write], { input: `\ufeff${csvOf(['ann', 'bob'])}` })
  assert.match(piped.stderr, /^2 read\n2 imported\n/)
  const odd = await at.run(['import', '--from', 'csv', one], { env: { BETTER_AUTH_SECRETS: 'x' } })
  assert.equal(odd.code, 3, 'a variable that is not asked for may have any form')
  const missing = await at.run(['import', '--from', 'csv', join(at.folder, 'none.csv')])
  assert.equal(missing.code, 1)
  writeFileSync(join(at.folder, 'latin1.csv'), Buffer.from('user,secret\nj\xfcrg,x\n', 'latin1'))
  const latin1 = await at.run(['import', '--from', 'csv', join(at.folder, 'latin1.csv')])
  assert.deepEqual([latin1.code, /is not UTF-8/.test(latin1.stderr)], [1, true])
})

test("better-auth's users come from its database, under the keys of its own variables", async (t) => {
  const at = await commandHost(t)
  const env = JSON.parse(exported('better-auth.env.json'))
  const rows = JSON.parse(exported('better-auth.json'))
  const file = join(at.folder, 'auth.sqlite')
  const database = new Database(file)
  database.exec('CREATE TABLE user (id TEXT PRIMARY KEY, twoFactorEnabled INTEGER)')
  database.exec('CREATE TABLE twoFactor (id TEXT PRIMARY KEY, secret TEXT, userId TEXT, verified INTEGER)')
  for (const [n, { id, secret, userId, verified }] of rows.entries()) {
    database.prepare('INSERT INTO user VALUES (?, ?)').run(userId, n === 0 ? 0 : 1)
    database.prepare('INSERT INTO twoFactor VALUES (?, ?, ?, ?)').run(id, secret, userId, verified)
  }
  for (const source of [`sqlite:${file}`, 'env:AUTH_DATABASE']) {
    const { code, stdout, stderr } = await at.run(['import', '--from', 'better-auth', source], {
      env: { ...env, AUTH_DATABASE: `sqlite:${file}` },
    })
    assert.equal(code, 3, stderr)
    assert.deepEqual(
      linesOf(stdout)
        .map((line) => line.split('\t').slice(0, 3))
        .sort(),
      [
        [`id ${rows[0].id}`, rows[0].userId, 'not_verified'],
        [`id ${rows[7].id}`, rows[7].userId, 'not_verified'],
      ].sort(),
    )
    assert.match(stderr, /^8 read\n6 to import\n/)
  }
  for (const [source, address, named] of [
    ['env:AUTH_DATABASE', 'auth.sqlite', 'the address in `env:AUTH_DATABASE`'],
    ['env:AUTH_DATABASE', 'file:auth.sqlite', 'the address in `env:AUTH_DATABASE`'],
    ['env:AUTH_DATABASE', 'root:hush@localhost', 'the address in `env:AUTH_DATABASE`'],
    ['file:auth.sqlite', '', 'an address that begins with `file:`'],
    ['mariadb://root:hush@localhost/auth', '', 'an address that begins with `mariadb:`'],
  ]) {
    const { code, stderr } = await at.run(['import', '--from', 'better-auth', source], {
      env: { ...env, AUTH_DATABASE: address },
    })
    const words = `${named} is none that is known: the forms are sqlite:FILE, postgres://…, postgresql://… or mysql://…`
    assert.ok(stderr.includes(words) && !stderr.includes('hush'), stderr)
    assert.equal(code, 1)
  }
  const { BETTER_AUTH_SECRET, ...rest } = env
  const without = await at.run(['import', '--from', 'better-auth', `sqlite:${file}`], { env: rest })
  assert.ok(without.stdout.includes('\tkey_missing\tBETTER_AUTH_SECRET is not given'))
  assert.ok(!`${without.stdout}${without.stderr}`.includes(BETTER_AUTH_SECRET))
  database.exec('DROP TABLE user')
  const plain = await at.run(['import', '--from', 'better-auth', `sqlite:${file}`, ...write], { env })
  assert.match(plain.stderr, /^no table `user` .*\n8 read\n7 imported\n/, 'without a table of users')
  database.exec('ALTER TABLE twoFactor RENAME TO second')
  const renamed = await at.run(['import', '--from', 'better-auth', `sqlite:${file}`], { env })
  assert.deepEqual(
    [renamed.code, /the table `twoFactor` could not be read: name yours by --table/.test(renamed.stderr)],
    [1, true],
  )
  const named = await at.run(['import', '--from', 'better-auth', `sqlite:${file}`, '--table', 'second'], { env })
  assert.match(named.stderr, /\n7 there already\n/)
  database.close()
})

test('PSKC is opened by the key in the environment', async (t) => {
  const at = await commandHost(t)
  const file = at.file('tokens.xml', exported('rfc6030-figure-6.xml').replaceAll('pskc:hotp"', 'pskc:totp"'))
  const users = at.file('map.csv', 'from,user\n987654321,ann\n')
  const args = ['import', '--from', 'pskc', '--column', 'user=SerialNo', '--users', users, file]
  const env = { PSKC_KEY: '12345678901234567890123456789012' }
  assert.match((await at.run([...args, ...write], { env })).stderr, /^1 read\n1 imported\n/)
  assert.ok(await logsIn(at, 'ann', TEXT, ['--totp', '--digits=8']))
  assert.ok((await at.run(args)).stdout.includes('key_missing'))
  assert.equal((await at.run(args, { env: { PSKC_KEY: 'xyz' } })).code, 2)
})

test('a command line that is not understood ends with 2, and does nothing', async (t) => {
  const at = await commandHost(t)
  const file = at.file('users.csv', csvOf(['ann']))
  for (const [args, words] of [
    [['--from', 'csv'], /the file to import is missing/],
    [[file], /--from is missing/],
    [['--from', 'xls', file], /--from must be one of: csv, json, /],
    [['--from', 'csv', file, '--write'], /--operator is missing/],
    [['--from', 'csv', file, '--encoding', 'base64'], /--encoding must be one of/],
    [['--from', 'csv', file, '--column', 'usr=id'], /--column must be a field/],
    [['--from', 'csv', file, '--digits', 'six'], /--digits must be a number/],
    [['--from', 'csv', 'sqlite:x'], /read from better-auth only/],
    [['--from', 'csv', file, '--store', 'x'], /--store/],
  ]) {
    const { code, stderr } = await at.run(['import', .../** @type {string[]} */ (args)])
    assert.deepEqual([code, /** @type {RegExp} */ (words).test(stderr)], [2, true], stderr.split('\n')[0])
  }
  assert.equal((await run(['import', '--from', 'csv', file])).code, 2)
  assert.deepEqual(await usersOf(at), [])
})

test('the guide and the usage name every format, and the guide every reason', async () => {
  const guide = readFileSync(new URL('../../docs/moving-in.md', import.meta.url), 'utf8')
  const { stdout } = await run(['--help'])
  for (const format of Object.keys(FORMATS)) {
    assert.match(guide, new RegExp(`^\\| (\`[a-z-]+\`, )*\`${format}\``, 'm'), format)
    assert.ok(stdout.includes(format), format)
  }
  for (const [reason, words] of Object.entries(REASONS))
    assert.ok(guide.includes(`| \`${reason}\` | ${words} |`), reason)
})
