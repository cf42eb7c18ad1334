// `countersign export`: the way back, encrypted with age and read by our own import.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { createOperator } from 'countersign/operator'
import { commandHost } from './command-support.mjs'
import { codeAt, read } from './import-support.mjs'
import { codeOf, withApp, withPhone } from './support.mjs'

const identity = await generateX25519Identity()
const to = await identityToRecipient(identity)
const operator = ['--operator', 'Jo']

async function decrypted(file, key = identity) {
  const decrypter = new Decrypter()
  decrypter.addIdentity(key)
  return await decrypter.decrypt(readFileSync(file), 'text')
}

const linesOf = (text) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

async function withUsers(t, lines = '') {
  const at = await commandHost(t, lines, 7_200)
  const ann = await withApp(at)
  const bob = await withApp(at, 'bob: the "second"')
  await withPhone(at, bob)
  return { at, ann, bob, out: join(at.folder, 'export.age') }
}

test('T54: an export has the apps of all users, is told first, and is read by our own import', async (t) => {
  const { at, ann, bob, out } = await withUsers(t)
  const { importTotp } = createOperator(at.options)
  const secret = new TextEncoder().encode('abcdefghijklmnopqrstuvwxyzABCDEF')
  await importTotp({
    account: 'acme',
    user: 'ann',
    secret,
    digits: 8,
    period: 60,
    algorithm: 'SHA256',
    name: 'Old',
    operator: 'Jo',
  })
  const told = await at.run(['export', '--to', to, '--out', out, ...operator])
  assert.deepEqual([told.code, told.stdout, told.stderr], [0, `3 apps of 3 users are in ${out}\n`, ''])
  assert.equal(statSync(out).mode & 0o777, 0o600)
  const text = await decrypted(out)
  const lines = linesOf(text)
  assert.deepEqual(lines[0], { format: 'countersign-export', v: 1 })
  assert.deepEqual(lines.at(-1), { end: true, users: 3, apps: 3, leftOut: 0 })
  for (const secret of [ann.secret, bob.secret]) {
    assert.ok(text.includes(secret))
    assert.ok(!readFileSync(out, 'latin1').includes(secret))
    assert.ok(!`${told.stdout}${told.stderr}${readFileSync(at.events)}`.includes(secret))
  }
  const events = linesOf(readFileSync(at.events, 'utf8'))
  assert.deepEqual(
    events.map(({ event, user }) => [event, user]).filter(([event]) => /export/.test(event)),
    [['export_started', 'Jo'], ...lines.slice(1, -1).map(({ user }) => ['secrets_exported', user])],
  )
  const cut = await read('countersign', text.split('\n').slice(0, -2).join('\n'))
  assert.deepEqual(
    cut.map(({ reason }) => reason),
    [undefined, undefined, undefined, 'part_missing'],
  )
  const found = await read('countersign', text)
  const entries = found.map(({ entry }) => entry)
  const byUser = (account, user) => entries.find((entry) => entry.account === account && entry.user === user)
  assert.equal(codeAt(byUser(undefined, 'ann'), at.clock()), codeOf(at, ann.secret))
  assert.equal(codeAt(byUser(undefined, bob.user), at.clock()), codeOf(at, bob.secret))
  assert.equal(codeAt(byUser('acme', 'ann'), 1_800_000_000).length, 8)
  assert.deepEqual([byUser('acme', 'ann').secret, byUser('acme', 'ann').name], [secret, 'Old'])

  const other = await commandHost(t)
  const imported = await other.run(['import', '--from', 'countersign', '-', '--write', ...operator], { input: text })
  assert.equal(imported.code, 0, imported.stdout)
  assert.match(imported.stderr, /^3 read\n3 imported\n/)
  other.clock.advance(120)
  const { ticket } = await other.factor.begin({ user: 'ann', session: 'before' })
  const given = { ticket, session: 'before', newSession: 'in', method: 'totp', code: codeOf(other, ann.secret) }
  assert.equal((await other.factor.verify(given)).result, 'verified')
})

test('an export that lacks lines is told, wherever they are missing', async (t) => {
  const { at, out } = await withUsers(t)
  await withApp(at, 'cai')
  assert.equal((await at.run(['export', '--to', to, '--out', out, ...operator])).code, 0)
  const lines = (await decrypted(out)).trimEnd().split('\n')
  const reasons = async (given) => (await read('countersign', given.join('\n'))).flatMap(({ reason }) => reason ?? [])
  assert.deepEqual(await reasons(lines), [])
  assert.deepEqual(await reasons([...lines, ...lines]), [], 'two exports, one after the other')
  for (let from = 0; from < lines.length; from += 1)
    for (let to = from + 1; to <= lines.length; to += 1)
      assert.deepEqual(
        [...new Set(await reasons(lines.toSpliced(from, to - from)))],
        ['part_missing'],
        `${from} to ${to}`,
      )
  assert.deepEqual(await reasons([...lines.slice(0, 2), ...lines]), ['part_missing'], 'the first one was cut off')
  const doubled = lines.toSpliced(2, 1, lines[1])
  assert.deepEqual(await reasons(doubled), ['part_missing'], 'a line in the place of another one')
  const spoilt = lines.toSpliced(2, 1, '{')
  assert.deepEqual(await reasons(spoilt), ['unreadable'], 'a line that cannot be read is told by itself')
  const [cut] = (await read('countersign', lines.toSpliced(1, 1).join('\n'))).filter(({ reason }) => reason)
  assert.equal(cut.message, 'the last line counts 3 apps of 3 users, and here are 2 of 2')
})

test('any id comes back from an export', async (t) => {
  const ids = ['ann\u202ebob', '\u2066c\u2069', 'd\u200b', '100%', 'e:f?g#h', ' ', '\u{1f600}', 'ä'.repeat(128)]
  const { at, out } = await withUsers(t)
  for (const id of ids) await withApp(at, id)
  assert.equal((await at.run(['export', '--to', to, '--out', out, ...operator])).code, 0)
  const text = await decrypted(out)
  const other = await commandHost(t)
  const imported = await other.run(['import', '--from', 'countersign', '-', '--write', ...operator], { input: text })
  assert.equal(imported.code, 0, imported.stdout)
  for (const user of ids) assert.equal((await other.factor.status({ user })).enrolled, true, JSON.stringify(user))
})

test('the program age opens an export, with each of several keys', async (t) => {
  const { at, ann, out } = await withUsers(t)
  const key = execFileSync('age-keygen', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const keyFile = at.file('key.txt', key)
  const recipient = /^# public key: (age1\S+)$/m.exec(key)[1]
  const { code, stderr } = await at.run(['export', '--to', to, '--to', recipient, '--out', out, ...operator])
  assert.equal(code, 0, stderr)
  const text = execFileSync('age', ['--decrypt', '--identity', keyFile, out], { encoding: 'utf8' })
  assert.ok(text.includes(ann.secret))
  assert.equal(await decrypted(out), text)
  await assert.rejects(decrypted(out, await generateX25519Identity()))
})

test('T54: an export goes into a new file alone, and none is left of one that failed', async (t) => {
  const { at, out } = await withUsers(t)
  const args = (file) => ['export', '--to', to, '--out', file, ...operator]
  writeFileSync(out, 'of somebody else')
  symlinkSync(join(at.folder, 'elsewhere'), join(at.folder, 'link'))
  mkdirSync(join(at.folder, 'folder'))
  for (const file of [
    out,
    '/dev/stdout',
    '/dev/stderr',
    '/dev/null',
    join(at.folder, 'link'),
    join(at.folder, 'folder'),
    join(at.folder, 'none', 'x'),
  ]) {
    const { code, stdout, stderr } = await at.run(args(file))
    assert.deepEqual([code, stdout], [1, ''], file)
    assert.match(stderr, /none/.test(file) ? /ENOENT/ : /is there already: an export is always a new file/)
  }
  assert.equal((await at.run(args('-'))).code, 2)
  assert.equal(readFileSync(out, 'utf8'), 'of somebody else')
  assert.ok(!existsSync(join(at.folder, 'elsewhere')))
  assert.ok(!existsSync(at.events), 'nothing was opened')
})

test('a command line without a recipient opens nothing', async (t) => {
  const { at, out } = await withUsers(t)
  for (const given of [[], ['--to', 'age1xyz'], ['--to', identity], ['--to', 'ann'], ['--to', to, '--to', `${to}x`]]) {
    const { code, stderr } = await at.run(['export', ...given, '--out', out, ...operator])
    assert.equal(code, 2, stderr)
    assert.ok(!stderr.includes(identity), 'a secret key that was given by mistake is not shown')
  }
  assert.equal((await at.run(['export', '--to', to, '--out', out])).code, 2)
  assert.ok(!existsSync(out) && !existsSync(at.events))
})

test('keys, store and log are all needed', async (t) => {
  for (const [lines, words] of [
    ['delete options.onEvent', /onEvent/],
    ["options.onEvent = () => { throw new Error('the log is full') }", /the log is full/],
    ['delete options.store.list\noptions.store = { ...options.store, list: undefined }', /cannot list records/],
    ["options.store = { ...options.store, list: () => Promise.reject(new Error('down')) }", /down/],
    ["options.keys = '{}'", /is missing/],
  ]) {
    const { at, out } = await withUsers(t, /** @type {string} */ (lines))
    const { code, stderr } = await at.run(['export', '--to', to, '--out', out, ...operator])
    assert.deepEqual([code, /** @type {RegExp} */ (words).test(stderr)], [1, true], stderr)
    assert.ok(!existsSync(out), 'no part of an export is left')
  }
})

test('a user whose record does not open is named, and the others are exported', async (t) => {
  const { at, ann, out } = await withUsers(t)
  await at.store.save({ account: 'acme', user: 'carol' }, 'no record', undefined)
  const { code, stdout, stderr } = await at.run(['export', '--to', to, '--out', out, ...operator])
  assert.deepEqual([code, stdout], [3, `2 apps of 2 users are in ${out}\n`])
  assert.match(stderr, /^not exported: user "carol" in account "acme": .*\n1 users are not in it\n$/)
  const text = await decrypted(out)
  assert.ok(text.includes(ann.secret))
  assert.deepEqual(linesOf(text).at(-1), { end: true, users: 2, apps: 2, leftOut: 1 })
  const one = join(at.folder, 'one.age')
  await at.run(['export', '--to', to, '--out', one, ...operator, '--account', 'acme'])
  assert.deepEqual(linesOf(await decrypted(one)).at(-1), { end: true, users: 0, apps: 0, leftOut: 1 })
})
