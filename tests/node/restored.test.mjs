// T59: the operator's way after a restore of the database: a new restore epoch, and a reset of all whose factors changed since.

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { createSecondFactor, generateKeys } from 'countersign'
import { changedSince } from 'countersign/operator'
import { sqliteStore } from 'countersign/stores/sqlite'
import { host, login, rules, withApp } from './support.mjs'

const cli = fileURLToPath(new URL('../../pkg/cli.cjs', import.meta.url))
const run = (...args) => promisify(execFile)(process.execPath, [cli, ...args])
const raised = (keys) =>
  JSON.parse(execFileSync(process.execPath, [cli, 'keys', 'restored'], { input: JSON.stringify(keys) }).toString())

function folderOf(t) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('T59: someone who enrolled after the backup is not let in without a factor, after `countersign restored`', async (t) => {
  const folder = folderOf(t)
  const file = join(folder, 'records.sqlite')
  const open = () => {
    const database = new Database(file)
    t.after(() => database.close())
    return database
  }
  const events = []
  const first = open()
  const at = await host({ store: sqliteStore(first), onEvent: (event) => events.push(event) })
  const ann = await withApp(at)
  const backup = join(folder, 'backup.sqlite')
  await first.backup(backup)
  const since = at.clock()
  at.clock.advance(60)
  await withApp(at, 'bob')
  const { pass } = await login(at, ann)
  first.close()
  copyFileSync(backup, file)

  const keys = raised(at.keys)
  const clock = Object.assign(() => at.clock(), at.clock)
  const store = sqliteStore(open())
  const factor = createSecondFactor({ ...at.options, store, keys: { ...keys, restoreEpoch: at.clock() }, clock })
  const begun = (user) => factor.begin({ user, session: 's' })
  assert.equal((await begun('bob')).result, 'allowed', 'the restored database does not know of the factor')
  assert.deepEqual(await factor.check({ user: 'ann', session: 'in', pass }), {
    result: 'second_step',
    reason: 'revoked',
  })

  const config = join(folder, 'second-factor.mjs')
  const from = (path) => JSON.stringify(new URL(path, import.meta.url).href)
  writeFileSync(
    config,
    `import Database from ${JSON.stringify(import.meta.resolve('better-sqlite3'))}
     import { sqliteStore } from ${from('../../pkg/stores/sqlite.mjs')}
     export default {
       policy: ${JSON.stringify(rules())},
       keys: ${JSON.stringify({ ...keys, restoreEpoch: at.clock() })},
       store: sqliteStore(new Database(${JSON.stringify(file)})),
     }`,
  )
  const log = join(folder, 'events.jsonl')
  writeFileSync(log, `${events.map((event) => JSON.stringify(event)).join('\n')}\n`)
  const time = new Date((since + 1) * 1000).toISOString()
  const { stdout } = await run('restored', '--config', config, '--events', log, '--since', time, '--operator', 'Jo')
  assert.equal(stdout, 'reset: user "bob" without an account\n1 users were reset; only a recovery code lets them in\n')
  assert.deepEqual(await begun('bob'), { result: 'denied', reason: 'recovery_code_required' })
  assert.equal((await begun('ann')).result, 'challenge', 'ann had her app before the backup')
})

test('T59: countersign restored resets the others where one user cannot be reset, and fails', async (t) => {
  const folder = folderOf(t)
  const config = join(folder, 'second-factor.mjs')
  writeFileSync(
    config,
    `import { memoryStore } from ${JSON.stringify(new URL('../../pkg/index.mjs', import.meta.url).href)}
     const rules = ${JSON.stringify(rules())}
     export default {
       policy: ({ account }) => account === 'gone' ? Promise.reject(new Error('no such account')) : rules,
       keys: ${JSON.stringify(generateKeys())},
       store: memoryStore(),
     }`,
  )
  const log = join(folder, 'events.jsonl')
  const events = ['gone', 'acme'].map((account) => ({ event: 'factor_added', at: 1_800_000_000, account, user: 'bob' }))
  writeFileSync(log, events.map((event) => JSON.stringify(event)).join('\n'))
  const told = ['restored', '--config', config, '--events', log, '--since', '2026-11-28T04:00:00Z', '--operator', 'Jo']
  await assert.rejects(run(...told), ({ code, stdout, stderr }) => {
    assert.equal(code, 1)
    assert.match(stdout, /^reset: user "bob" in account "acme"\n1 users were reset/)
    assert.match(
      stderr,
      /^not reset: user "bob" in account "gone": .*\ncaused by: no such account\n1 users were not reset/,
    )
    return true
  })
})

test('countersign keys restored raises the restore epoch, and keeps the keys', () => {
  const keys = generateKeys()
  const before = Math.floor(Date.now() / 1000)
  const once = raised(keys)
  assert.ok(once.restoreEpoch >= before && once.restoreEpoch <= before + 60, `${once.restoreEpoch}`)
  assert.deepEqual({ ...once, restoreEpoch: undefined }, { ...keys, restoreEpoch: undefined })
  const ahead = before + 1_000_000
  assert.equal(raised({ ...keys, restoreEpoch: ahead }).restoreEpoch, ahead + 1, 'never less than before')
  for (const wrong of ['', '{}', JSON.stringify({ ...keys, restoreEpoch: -1 })])
    assert.throws(() => execFileSync(process.execPath, [cli, 'keys', 'restored'], { input: wrong, stdio: 'pipe' }), {
      status: 1,
    })
  const jwks = execFileSync(process.execPath, [cli, 'jwks'], { input: JSON.stringify(once) }).toString()
  assert.equal(JSON.parse(jwks).restoreEpoch, once.restoreEpoch, 'a gate learns of it by the JWK set')
})

const event = (kind, at, user, account) => ({ v: 1, event: kind, at, user, ...(account && { account }) })

test('T59: each event that changes factors names its user, and no other event does', () => {
  const changes = ['factor_added', 'factor_removed', 'reset', 'reset_by_operator', 'moved_here', 'moved_away', 'erased']
  // An import is done again.
  const others = ['totp_imported', 'code_accepted', 'factor_renamed', 'backup_codes_made', 'login_allowed', 'toString']
  const events = [...changes, ...others].map((kind) => event(kind, 100, kind))
  assert.deepEqual(
    changedSince({ events, since: 100 }),
    changes.map((user) => ({ user })),
  )
})

test('changedSince names each user once, of events since the backup', () => {
  const events = [
    event('factor_added', 99, 'early'),
    event('factor_added', 100, 'ann'),
    event('factor_removed', 101, 'ann'),
    event('reset_by_operator', 102, 'ann', 'acme'),
    event('code_accepted', 103, 'bob'),
    event('erased', 104, 'carl'),
  ]
  assert.deepEqual(changedSince({ events, since: 100 }), [
    { user: 'ann' },
    { account: 'acme', user: 'ann' },
    { user: 'carl' },
  ])
  for (const wrong of [undefined, {}, [null], [{ event: 1 }], [event('reset', '1', 'ann')]])
    assert.throws(() => changedSince({ events: wrong, since: 100 }), { code: 'invalid_input', path: 'events' })
  assert.throws(() => changedSince({ events, since: Date.now() }), { code: 'invalid_input', path: 'since' })
})

test('countersign restored says which argument is missing or wrong', async () => {
  const all = { '--config': 'x.mjs', '--events': 'x.jsonl', '--since': '2026-11-28T04:00:00Z', '--operator': 'Jo' }
  const args = (changes) =>
    Object.entries({ ...all, ...changes }).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
  for (const name of Object.keys(all)) {
    const told = await run('restored', ...args({ [name]: undefined })).catch((error) => error)
    assert.deepEqual([told.code, told.stderr.split('\n')[0]], [2, `${name} is missing`])
  }
  for (const since of ['yesterday', '1800000000', '2026-11-28', '2026-11-28T04:00:00', '2026-99-99T04:00:00Z']) {
    const told = await run('restored', ...args({ '--since': since })).catch((error) => error)
    assert.deepEqual(
      [told.code, told.stderr.split('\n')[0]],
      [2, '--since must be a time with its zone, such as 2026-11-28T04:00:00Z'],
    )
  }
})
