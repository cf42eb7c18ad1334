// C2, C6, T42: an owner's recovery code is spent by the right person only; the operator can always issue one.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { createSecondFactor, generateKeys, memoryStore } from 'countersign'
import { createOperator } from 'countersign/operator'
import { sqliteStore } from 'countersign/stores/sqlite'
import { fixedClock } from 'countersign/testing'
import { codeOf, count, host, login, removeFirst, rules, ticketOf, withApp } from './support.mjs'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const anyCode = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => ALPHABET[byte % 32]).join('')

/** Ann with an app, and a recovery code that Olga issued for her. */
async function rescuing() {
  const at = await host()
  const ann = await withApp(at)
  const olga = await withApp(at, 'olga')
  const { pass } = await login(at, olga)
  const by = { user: 'olga', session: 'in', pass, role: 'owner' }
  const { code } = await at.factor.issueRecoveryCode({ user: 'ann', by })
  assert.ok(code)
  return { at, ann, code }
}

test('C2, T42: of 1,000 wrong recovery codes at once none ends, delays or outruns the right one', async () => {
  const { at, ann, code } = await rescuing()
  const theirs = await ticketOf(at, 'ann', 'thief')
  const mine = await ticketOf(at, 'ann', 'mine')
  const wrong = () => at.factor.verify({ ticket: theirs, session: 'thief', method: 'recovery_code', code: anyCode() })
  const before = Array.from({ length: 500 }, wrong)
  const right = at.factor.verify({ ticket: mine, session: 'mine', method: 'recovery_code', code })
  const after = Array.from({ length: 500 }, wrong)
  assert.equal((await right).result, 'verified')
  const replies = await Promise.all([...before, ...after])
  assert.equal(count(replies, 'wrong') + count(replies, 'expired'), 1_000)
  assert.ok(count(replies, 'wrong') >= 500, 'those before it were compared')
  const { attempts } = await at.factor.status({ user: 'ann' })
  assert.deepEqual(attempts, { failures: 0, stopped: false }, 'the account does not wait')
  at.clock.advance(30)
  const reply = await at.factor.verify({
    ticket: await ticketOf(at, 'ann', 'next'),
    session: 'next',
    method: 'totp',
    code: codeOf(at, ann.secret),
  })
  assert.equal(reply.result, 'verified')
})

test("a change of the issuer's factors that lands while the issuing call loses a race is seen", async () => {
  const inner = memoryStore()
  let meanwhile
  const store = {
    load: inner.load,
    save: async (id, ...given) => {
      if (id.user !== 'ann' || meanwhile === undefined) return inner.save(id, ...given)
      const change = meanwhile
      meanwhile = undefined
      await change()
      return false
    },
  }
  const at = await host({ store })
  await withApp(at)
  const olga = await withApp(at, 'olga')
  const { pass } = await login(at, olga)
  const by = { user: 'olga', session: 'in', pass, role: 'owner' }
  meanwhile = async () => {
    const reply = await removeFirst(at, { user: 'olga', session: 'in', pass }, 'totp')
    assert.equal(reply.result, 'removed')
  }
  const reply = await at.factor.issueRecoveryCode({ user: 'ann', by })
  assert.deepEqual(reply, { result: 'denied', reason: 'fresh_factor_required' })
})

test('C6: the operator issues a code for the first owner of an account that starts under `everyone`', async () => {
  const at = await host({ policy: rules({ require: 'everyone', methods: ['totp'] }) })
  const given = { account: 'acme', user: 'olga' }
  assert.deepEqual(await at.factor.begin({ ...given, session: 's' }), {
    result: 'denied',
    reason: 'enrollment_required',
  })
  const { policy, keys, store, notify, onEvent, clock } = at.options
  const operator = createOperator({ policy, keys, store, notify, onEvent, clock })
  const issued = await operator.issueRecoveryCode({ ...given, operator: 'night shift' })
  assert.deepEqual(at.events.map(({ event, account, operator: name }) => ({ event, account, name })).at(-1), {
    event: 'recovery_code_issued_by_operator',
    account: 'acme',
    name: 'night shift',
  })
  assert.deepEqual(
    at.notices.map(({ kind, to, user }) => [kind, to, user]),
    [
      ['recovery_code_issued', 'user', 'olga'],
      ['recovery_code_issued', 'owners', 'olga'],
    ],
  )
  const { ticket, methods } = await at.factor.begin({ ...given, session: 's' })
  assert.deepEqual(methods, [{ method: 'recovery_code', kind: 'grouped' }])
  const second = { account: 'acme', ticket, session: 's', method: 'recovery_code', code: issued.code }
  const { pass, session } = await at.factor.verify(second)
  const { result } = await at.factor.enrollTotp({ ...given, session, pass, label: 'olga' })
  assert.equal(result, 'totp_started')
})

test("the operator withdraws an owner's code", async () => {
  const { at, code } = await rescuing()
  const { policy, keys, store, notify, onEvent, clock } = at.options
  const operator = createOperator({ policy, keys, store, notify, onEvent, clock })
  const input = { user: 'ann', operator: 'night shift' }
  assert.deepEqual(await operator.withdrawRecoveryCode(input), { result: 'withdrawn' })
  assert.equal(at.events.at(-1).event, 'recovery_code_withdrawn')
  assert.deepEqual(await operator.withdrawRecoveryCode(input), { result: 'expired' })
  const ticket = await ticketOf(at, 'ann', 's')
  const reply = await at.factor.verify({ ticket, session: 's', method: 'recovery_code', code })
  assert.equal(reply.result, 'expired')
})

test('no method of a second factor issues a code as the operator', async () => {
  const at = await host()
  await withApp(at)
  assert.deepEqual(
    Object.keys(at.factor).filter((name) => /operator|withdraw/i.test(name)),
    [],
  )
  for (const by of [{ operator: 'me' }, { user: 'olga', operator: 'me', session: 's', role: 'owner' }]) {
    const reply = at.factor.issueRecoveryCode({ user: 'ann', by })
    await assert.rejects(reply, { code: 'invalid_input' })
  }
  await assert.rejects(at.factor.begin({ user: 'ann', session: 's', operator: 'me' }), { code: 'invalid_input' })
  for (const wrong of [{}, { user: 'ann' }, { user: 'ann', operator: '' }, { user: '', operator: 'me' }]) {
    await assert.rejects(createOperator(operatorOptions(at)).issueRecoveryCode(/** @type {any} */ (wrong)), {
      code: 'invalid_input',
    })
  }
})

const operatorOptions = ({ options: { policy, keys, store } }) => ({ policy, keys, store })

test('createOperator takes everything that createSecondFactor is given, and does not use what is not its own', async () => {
  const used = []
  const at = await host({
    policy: rules({ methods: ['totp', 'sms', 'recovery_code'] }),
    sendSms: () => used.push('sendSms'),
    endPasses: () => used.push('endPasses'),
    limits: async () => used.push('limits') > 0,
  })
  const operator = createOperator(at.options)
  const input = { user: 'ann', operator: 'night shift' }
  assert.equal((await operator.issueRecoveryCode(input)).result, 'recovery_code')
  assert.equal((await operator.withdrawRecoveryCode(input)).result, 'withdrawn')
  assert.deepEqual(used, [])
  const misspelt = /** @type {any} */ ({ ...at.options, sendSmss: () => undefined })
  assert.throws(() => createOperator(misspelt), { code: 'invalid_input', path: 'sendSmss' })
  const wrong = /** @type {any} */ ({ ...at.options, limits: 5 })
  assert.throws(() => createOperator(wrong), { code: 'invalid_input', path: 'limits' })
})

test("a deleted record makes the password enough again, except while the operator's code is alive and after its use", async () => {
  const records = new Map()
  const store = {
    load: async ({ user }) => records.get(user),
    save: async ({ user }, record, expected) => {
      if (records.get(user)?.version !== expected) return false
      records.set(user, { record, version: (expected ?? 0) + 1 })
      return true
    },
  }
  const at = await host({ store })
  await withApp(at)
  const policy = rules({ require: 'everyone', firstFactor: 'password', methods: ['totp', 'recovery_code'] })
  const factor = createSecondFactor({ ...at.options, policy })
  const operator = createOperator({ ...at.options, policy })
  const begin = () => factor.begin({ user: 'ann', session: 's' })
  assert.equal((await begin()).result, 'challenge')
  records.clear()
  assert.equal((await begin()).result, 'set_up')

  await operator.issueRecoveryCode({ user: 'ann', operator: 'Jo' })
  assert.equal((await begin()).result, 'challenge')
  at.clock.advance(3_600)
  assert.equal((await begin()).result, 'set_up', 'the code has ended unused')

  const { code } = await operator.issueRecoveryCode({ user: 'ann', operator: 'Jo' })
  const { ticket } = await begin()
  assert.equal((await factor.verify({ ticket, session: 's', method: 'recovery_code', code })).result, 'verified')
  assert.deepEqual(await begin(), { result: 'denied', reason: 'enrollment_required' })
})

test('npx countersign recovery issue prints a code that lets the user in', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const at = await host()
  const database = join(folder, 'records.sqlite')
  const db = new Database(database)
  t.after(() => db.close())
  const policy = rules({ require: 'everyone' })
  const here = (name) => JSON.stringify(pathToFileURL(fileURLToPath(new URL(name, import.meta.url))).href)
  const config = join(folder, 'second-factor.mjs')
  writeFileSync(
    config,
    `import Database from ${JSON.stringify(import.meta.resolve('better-sqlite3'))}
     import { sqliteStore } from ${here('../../pkg/stores/sqlite.mjs')}
     export default () => ({
       policy: ${JSON.stringify(policy)},
       keys: ${JSON.stringify(at.keys)},
       store: sqliteStore(new Database(${JSON.stringify(database)})),
       sendSms: () => undefined,
       endPasses: () => undefined,
       limits: () => true,
       onEvent: (event) => console.error(JSON.stringify(event)),
     })`,
  )
  const who = ['--config', config, '--user', 'olga', '--account', 'acme', '--operator', 'ticket 4711']
  const { stdout, stderr } = await run('issue', ...who)
  const [code] = stdout.split(' ')
  assert.match(code, /^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$/)
  assert.match(stdout, /user "olga" in account "acme"/)
  assert.match(stderr, /^warning: there was no record of user "olga" in account "acme" yet/m)
  assert.ok(stderr.includes('"operator":"ticket 4711"') && !stderr.includes(code))

  const factor = createSecondFactor({ ...at.options, policy, store: sqliteStore(db), clock: undefined })
  const { ticket } = await factor.begin({ account: 'acme', user: 'olga', session: 's' })
  const reply = await factor.verify({ account: 'acme', ticket, session: 's', method: 'recovery_code', code })
  assert.equal(reply.result, 'verified')

  assert.equal((await run('withdraw', ...who)).stdout, 'there is no recovery code\n')
  const again = await run('issue', ...who)
  assert.doesNotMatch(again.stderr, /warning/)
  assert.ok(again.stderr.includes('"event":"recovery_code_issued_by_operator"'))
  const reset = await run('reset', ...who)
  assert.ok(reset.stderr.includes('"event":"reset_by_operator"'))
  const begun = await factor.begin({ account: 'acme', user: 'olga', session: 's' })
  const last = { account: 'acme', ticket: begun.ticket, session: 's', method: /** @type {const} */ ('recovery_code') }
  assert.equal((await factor.verify({ ...last, code: again.stdout.split(' ')[0] })).result, 'wrong')
  assert.equal((await factor.verify({ ...last, code: reset.stdout.split(' ')[0] })).result, 'verified')
  const elsewhere = ['--config', config, '--user', 'olga', '--operator', 'ticket 4711']
  const refused = await run('reset', ...elsewhere).catch((error) => error)
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  assert.match(
    refused.stderr,
    /^there is no record of user "olga" without an account, so nothing was reset: .*--account/,
  )
  const kept = sqliteStore(db)
  assert.equal(await kept.load({ user: 'olga' }), undefined, 'and no record was made')
  const issued = await run('issue', ...elsewhere)
  assert.match(issued.stderr, /no record of user "olga" without an account yet.*`recovery withdraw`/)
  const other = who.with(1, join(folder, 'missing.mjs'))
  await assert.rejects(run('issue', ...other), ({ code: status, stdout: told }) => status === 1 && told === '')
})

test('T57: npx countersign recovery reset ends passes, by the revocation list of the store', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const database = join(folder, 'records.sqlite')
  const db = new Database(database)
  t.after(() => db.close())
  const at = await host({ store: sqliteStore(db), clock: fixedClock(Math.floor(Date.now() / 1000) - 300) })
  const ann = await withApp(at)
  const { pass } = await login(at, ann)
  const check = () => at.factor.check({ user: 'ann', session: 'in', pass })
  assert.equal((await check()).result, 'in')
  const config = join(folder, 'second-factor.mjs')
  writeFileSync(
    config,
    `import Database from ${JSON.stringify(import.meta.resolve('better-sqlite3'))}
     import { sqliteStore } from ${JSON.stringify(new URL('../../pkg/stores/sqlite.mjs', import.meta.url).href)}
     const keys = ${JSON.stringify(at.keys)}
     export default { policy: ${JSON.stringify(rules())}, keys, store: sqliteStore(new Database(${JSON.stringify(database)})) }`,
  )
  await run('reset', '--config', config, '--user', 'ann', '--operator', 'ticket 4711')
  assert.deepEqual(await check(), { result: 'denied', reason: 'recovery_code_required' })
})

const cli = fileURLToPath(new URL('../../pkg/cli.cjs', import.meta.url))
const run = (...args) => promisify(execFile)(process.execPath, [cli, 'recovery', ...args])

test('npx countersign recovery names what is missing or not known, and then tells the usage', async () => {
  const who = { '--config': 'x.mjs', '--user': 'olga', '--operator': 'Jo' }
  const without = (left) => Object.entries(who).flatMap(([name, value]) => (name === left ? [] : [name, value]))
  for (const [args, first] of /** @type {[string[], string][]} */ ([
    ...Object.keys(who).map((name) => [['issue', ...without(name)], `${name} is missing`]),
    [['steal', ...without('')], 'recovery is followed by issue, reset or withdraw'],
    [without(''), 'recovery is followed by issue, reset or withdraw'],
    [['issue', 'twice', ...without('')], '`twice` is not known here'],
    [['issue', ...without(''), '--user', 'ann'], '--user is given twice'],
  ])) {
    const told = await run(...args).catch((error) => error)
    assert.deepEqual([told.code, told.stdout, told.stderr.split('\n')[0]], [2, '', first])
    assert.match(told.stderr, /^usage: countersign/m)
  }
  const told = await run('issue', '--usr', 'olga').catch((error) => error)
  assert.equal(told.code, 2)
  assert.match(told.stderr, /--usr[\s\S]*^usage:/m)
})

test('npx countersign recovery says that a file has no default export, by its name', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const config = join(folder, 'named.mjs')
  writeFileSync(config, 'export const options = {}')
  const told = await run('issue', '--config', config, '--user', 'a', '--operator', 'b').catch((error) => error)
  assert.equal(told.code, 1)
  assert.ok(told.stderr.startsWith(`${config} has no default export`), told.stderr)
})

test('npx countersign recovery tells the cause of an error of the host', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const config = join(folder, 'options.mjs')
  const told = async (source) => {
    writeFileSync(config, source)
    return run('issue', '--config', config, '--user', 'a', '--operator', 'b').catch((error) => error)
  }
  const policy = `policy() { throw new Error('a call without an account') }`
  const keys = JSON.stringify(generateKeys())
  const store = '{ load() {}, save() { return true } }'
  const failed = await told(`export default { ${policy}, keys: ${keys}, store: ${store} }`)
  assert.deepEqual([failed.code, failed.stdout], [1, ''])
  assert.match(failed.stderr, /^`policy`: the function threw.*\ncaused by: a call without an account\n$/)
  const rules = `policy: ${JSON.stringify({ v: 1, name: 'Acme', origin: 'https://acme.example' })}`
  const down = 'throw new AggregateError([new Error("no answer on ::1"), new Error("no answer on 127.0.0.1")])'
  const unreachable = await told(`export default { ${rules}, keys: ${keys}, store: { load() { ${down} }, save() {} } }`)
  assert.equal(
    unreachable.stderr,
    '`store.load`: the store could not be read\ncaused by: no answer on ::1; no answer on 127.0.0.1\n',
  )
  const unable = await told(`export default { ${rules}, keys: ${keys}, store: { load() {} } }`)
  assert.equal(unable.stderr, '`store`: must have load and save\n')
  const silent = await told(
    `export default { ${rules}, keys: ${keys}, store: { load: () => new Promise(() => {}), save() {} } }`,
  )
  assert.deepEqual([silent.code, silent.stdout], [1, ''])
  assert.match(silent.stderr, /^the file of --config, or its store, never answered/)
  const strange = await told('export default () => { throw Object.create(null) }')
  assert.deepEqual([strange.code, strange.stderr], [1, 'an object that is no Error\n'])
  const text = await told(`export default { policy() { throw 'no account' }, keys: ${keys}, store: ${store} }`)
  assert.ok(text.stderr.endsWith('\ncaused by: no account\n'), text.stderr)
  const thrown = await told('export default () => { throw null }')
  assert.deepEqual([thrown.code, thrown.stdout, thrown.stderr], [1, '', 'null\n'])
})

test('npx countersign recovery issue takes what TypeScript makes for require, and ends beside an open connection', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const config = join(folder, 'options.cjs')
  const rules = JSON.stringify({ v: 1, name: 'Acme', origin: 'https://acme.example' })
  const options = `{ policy: ${rules}, keys: ${JSON.stringify(generateKeys())}, store: { load() {}, save: () => true } }`
  writeFileSync(
    config,
    `Object.defineProperty(exports, '__esModule', { value: true })\nsetInterval(() => {}, 1000)\nexports.default = ${options}\n`,
  )
  const { stdout } = await run('issue', '--config', config, '--user', 'a', '--operator', 'b')
  assert.match(stdout, /^[0-9A-Z-]{19} {3}\(for user "a" without an account; counts once, until /)
})
