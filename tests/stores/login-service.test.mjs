// examples/login with its records in each database.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
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

test('the login example answers a log-out once the revocation list in PostgreSQL has it', {
  skip: without('postgres'),
}, async (t) => {
  const url = await postgresUrl()
  const service = await startService(t, { env: { DATABASE_URL: url, NODE_OPTIONS } })
  const client = new pg.Client(url)
  await client.connect()
  t.after(() => client.end())
  const ask = async (sql) => (await client.query(sql)).rows
  for (const [name, end] of Object.entries({
    member: (visitor) => visitor.json('/api/logout', {}),
    owner: (visitor) => visitor.json('/api/security/sessions/end-others', {}),
  })) {
    const { visitor, code } = await enrolledVisitor(service, name)
    const other = new Visitor(service)
    await other.logIn(name)
    assert.equal((await other.secondStep('totp', code())).result, 'verified')
    const before = openSessions(service)
    const listed = async () =>
      (await ask(`SELECT id FROM second_factor_revoked WHERE kind = 'session'`)).map(({ id }) => id)
    await ask('BEGIN')
    await ask('LOCK TABLE second_factor_revoked IN SHARE MODE') // reads go on
    let isAnswered = false
    const answer = end(visitor).finally(() => (isAnswered = true))
    await eventually(async () => {
      const [{ count }] = await ask(
        `SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'second_factor_revoked'::regclass`,
      )
      assert.ok(Number(count) > 0, 'the write waits')
    })
    await eventually(() => assert.equal(openSessions(service).length, before.length - 1, 'the session has ended'))
    await visitor.copy().request('GET', '/login') // An answer that waited for nothing would be here by now.
    assert.equal(isAnswered, false)
    await ask('COMMIT')
    assert.match((await answer).result, /^logged_out/)
    const [ended] = before.filter((id) => !openSessions(service).includes(id))
    assert.ok((await listed()).includes(ended))
  }
})

for (const [name, { needs, open }] of Object.entries(SERVERS)) {
  test(`the login example says that a log-out was not stored in ${name}, and stores it later`, {
    skip: without(needs),
  }, async (t) => {
    const server = await open(t)
    const token = 'x'.repeat(43)
    const env = { DATABASE_URL: server.url, NODE_OPTIONS, COUNTERSIGN_STORAGE_TOKEN: token }
    const service = await startService(t, { env })
    const list = async () => {
      const headers = { authorization: `Bearer ${token}` }
      const { status, sessions } = await new Visitor(service).json(
        '/internal/second-factor/revoked',
        undefined,
        headers,
      )
      assert.equal(status, 200)
      return sessions
    }
    const { visitor } = await enrolledVisitor(service, 'member')
    await visitor.page('/security')
    const [ended] = openSessions(service)
    const copy = visitor.copy()
    await server.kill()
    const page = await visitor.page('/logout', {}, { follow: false })
    assert.equal(page.status, 503)
    assert.match(page.text, /Logged out on this site[^]*Other services have not heard of it yet/)
    assert.doesNotMatch(page.text, /action="\/logout"|member@/)
    assert.equal(visitor.cookies.has('session'), false)
    assert.equal(visitor.cookies.has('second-factor'), false)
    assert.deepEqual(openSessions(service), [], 'it has ended in the example')
    assert.match((await copy.page('/', undefined, { follow: false })).location, /^\/login/)
    await server.start()
    await eventually(async () => assert.ok((await list()).includes(ended), 'it is on the list'))
  })
}

/** The sessions with a pass in the service's own file. */
const openSessions = (service) =>
  service.database((db) => db.prepare('SELECT id FROM login_sessions WHERE pass IS NOT NULL').pluck().all())

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
    [` ${server('postgres://ann')}\n`]: /^DATABASE_URL: the server at 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED/,
    // Each of these could be the name of a new file, or of none.
    'host=127.0.0.1 password=12/word dbname=app': /^DATABASE_URL must be .* a path with :, = or @ begins with/,
    'ann:12/word@127.0.0.1': /^DATABASE_URL must be/,
    'file:records.sqlite': /^DATABASE_URL must be/,
    ':memory:': /^DATABASE_URL must be/,
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
