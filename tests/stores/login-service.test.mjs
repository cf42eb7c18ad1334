// examples/login with its records in each database.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../scripts/common.mjs'
import { enrolledVisitor, startService, Visitor } from '../e2e/support.mjs'
import { eventually } from '../shared/eventually.mjs'
import { mysqlUrl, newFile, postgresUrl } from './databases.mjs'
import { startMariadb } from './servers/mariadb.mjs'
import { startPostgres } from './servers/postgres.mjs'
import { startRedis } from './servers/redis.mjs'
import { without } from './servers/server.mjs'

const NODE_OPTIONS = `--import ${new URL('use-drivers.mjs', import.meta.url).href}`

/** @type {Record<string, { needs?: 'postgres' | 'mariadb' | 'redis', address: (t: any) => string | Promise<string> }>} */
const PLACES = {
  PostgreSQL: { needs: 'postgres', address: () => postgresUrl() },
  MariaDB: { needs: 'mariadb', address: () => mysqlUrl() },
  Redis: { needs: 'redis', address: async (t) => (await startRedis(t)).url },
  'a file of SQLite': { address: newFile },
}

for (const [name, { needs, address }] of Object.entries(PLACES)) {
  test(`the login example keeps its records in ${name}`, { skip: needs && without(needs) }, async (t) => {
    const service = await startService(t, { env: { DATABASE_URL: await address(t), NODE_OPTIONS } })
    const { code } = await enrolledVisitor(service, 'member')
    const logIn = async () => {
      const visitor = new Visitor(service)
      assert.equal((await visitor.logIn('member')).result, 'challenge')
      return { visitor, reply: await visitor.secondStep('totp', code()) }
    }
    const { visitor, reply } = await logIn()
    assert.equal(reply.result, 'verified')
    assert.equal((await logIn()).reply.result, 'already_used')
    assert.equal((await visitor.json('/api/logout', {})).result, 'logged_out')

    // The service's own file has no record, so these are elsewhere and outlive the process.
    assert.equal(
      service.database((db) => db.prepare(TABLES).pluck().get()),
      0,
    )
    await service.restart()
    assert.equal((await logIn()).reply.result, 'already_used')
    service.advance(30)
    assert.equal((await logIn()).reply.result, 'verified')
    assert.equal(await service.stop(), 0, 'no connection keeps the process')
  })
}

const TABLES = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'second_factor%'"

/** @type {Record<string, { needs: 'postgres' | 'mariadb' | 'redis', open: (t: any) => Promise<any> }>} */
const SERVERS = {
  PostgreSQL: { needs: 'postgres', open: startPostgres },
  MariaDB: { needs: 'mariadb', open: startMariadb },
  Redis: { needs: 'redis', open: (t) => startRedis(t, { settings: { appendonly: 'yes', appendfsync: 'always' } }) },
}

for (const [name, { needs, open }] of Object.entries(SERVERS)) {
  test(`the login example outlives a crash of ${name}, and lets nobody in meanwhile`, {
    skip: without(needs),
  }, async (t) => {
    const server = await open(t)
    const service = await startService(t, { env: { DATABASE_URL: server.url, NODE_OPTIONS } })
    const { code } = await enrolledVisitor(service, 'member')
    await server.kill()
    for (let tries = 0; tries < 2; tries += 1) {
      const person = new Visitor(service)
      const { status } = await person.logIn('member')
      assert.ok(status >= 500, `${status}`)
      assert.equal((await person.request('GET', '/api/me')).status, 401)
    }
    await server.start()
    const person = new Visitor(service)
    await eventually(async () => assert.equal((await person.logIn('member')).result, 'challenge'))
    assert.equal((await person.secondStep('totp', code())).result, 'verified')
  })
}

test('the login example does not start without its database, and says why', async (t) => {
  const [closed] = await freePorts(1)
  const server = (path) => `${path}:pass%2Fword@127.0.0.1:${closed}/1`
  const cases = {
    [server('postgres://ann')]: /^DATABASE_URL: the server at 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED/,
    [server('mysql://ann')]: /^DATABASE_URL: the server at 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED/,
    [server('redis://ann')]: /^DATABASE_URL: the server at 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED/,
    [server('mongodb://ann')]: /^DATABASE_URL must be postgres:\/\/user:password@host/,
    'postgres://ann:pass/word@127.0.0.1/app': /percent-encoding$/m,
    'postgres://ann:12/word@127.0.0.1/app': /percent-encoding$/m,
    [`${newFile(t)}/no-folder/records.sqlite`]: /^the file of DATABASE_URL cannot be opened: .*directory/,
  }
  for (const [address, sentence] of Object.entries(cases)) {
    const { status, stderr } = start(t, { DATABASE_URL: address, NODE_OPTIONS })
    assert.match(stderr, sentence)
    assert.doesNotMatch(stderr, /pass(%2F|\/)word|12\/word|^ +at /m)
    assert.equal(status, 1)
  }
  for (const [scheme, driver] of Object.entries({ postgres: 'pg', mysql: 'mysql2', redis: 'redis' }))
    assert.match(
      start(t, { DATABASE_URL: server(`${scheme}://ann`) }).stderr,
      new RegExp(`its driver is not installed: npm install --install-links=false ${driver}\n$`),
    )
})

/** Runs the service, which is to end by itself. */
function start(t, env) {
  const file = fileURLToPath(new URL('../../examples/login/server.js', import.meta.url))
  const options = { env: { ...process.env, PORT: '0', DATA_DIR: `${newFile(t)}-data`, ...env }, timeout: 30_000 }
  return spawnSync(process.execPath, [file], { ...options, encoding: 'utf8' })
}
