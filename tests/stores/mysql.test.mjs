// MariaDB, through mysql2, on a real server.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CountersignError } from 'countersign'
import { createMysqlTables, mysqlSchema, mysqlStore } from 'countersign/stores/mysql'
import callbacks from 'mysql2'
import mysql from 'mysql2/promise'
import { eventually } from '../shared/eventually.mjs'
import { codeWithLostAnswer, sameCodeAtOnce, storeContract } from './contract.mjs'
import { cuttingProxy } from './cutting-proxy.mjs'
import { startMariadb } from './servers/mariadb.mjs'

const server = await startMariadb({ after })
const ANN = { account: 'acme', user: 'ann' }
const BEA = { account: 'acme', user: 'bea' }

/** A database of its own on the server, as options of a driver. */
async function newDatabase(more = '') {
  const { host, port, user } = server
  const database = `test_${Math.random().toString(36).slice(2)}`
  const connection = await mysql.createConnection({ host, port, user })
  await connection.query(`CREATE DATABASE ${database} ${more}`)
  await connection.end()
  return { host, port, user, database }
}

function open(t, database, options = {}) {
  const pool = mysql.createPool({ ...database, ...options })
  t.after(() => pool.end())
  return pool
}

/** A database with the tables, in the collation that takes most ids for one. */
async function prepared(t) {
  const database = await newDatabase('CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci')
  await createMysqlTables(open(t, database))
  return database
}

/** A connection for the statements of a test. */
async function connected(t, database) {
  const connection = await mysql.createConnection({ ...database, multipleStatements: true })
  t.after(() => connection.end())
  return connection
}

/** A pool each of whose connections has run a statement first. */
function openWith(t, database, statement) {
  const pool = open(t, database)
  pool.pool.on('connection', (connection) => connection.query(statement))
  return pool
}

/** Waits until a statement that begins so waits; gives its connection on the server. */
const waiting = (connection, start) =>
  eventually(
    async () => {
      const [rows] = await connection.query(
        `SELECT trx_mysql_thread_id AS id FROM information_schema.innodb_trx
         WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE ?`,
        [`${start}%`],
      )
      assert.equal(rows.length, 1)
      return rows[0].id
    },
    { every: 250 }, // read more often than each 0.1 s, the table is never made anew
  )

const isFault = (pattern) => (error) => {
  assert.ok(error instanceof CountersignError, String(error))
  assert.equal(error.code, 'store_failed')
  assert.match(error.message, pattern)
  return true
}
const isOfServer = (errno) => (error) => {
  assert.equal(error.errno, errno, String(error))
  return true
}

storeContract('mysqlStore', async (t) => mysqlStore(open(t, await prepared(t))))

storeContract('mysqlStore without FOUND_ROWS, where the driver gives rows in other forms', async (t) =>
  mysqlStore(
    open(t, await prepared(t), {
      flags: ['-FOUND_ROWS'],
      rowsAsArray: true,
      nestTables: true,
      namedPlaceholders: true,
      supportBigNumbers: true,
      dateStrings: true,
      typeCast: () => 'cast',
    }),
  ),
)

// An id with \' would end its quotes there if the driver wrote it into the text.
storeContract('mysqlStore with NO_BACKSLASH_ESCAPES and ANSI_QUOTES, and not strict', async (t) =>
  mysqlStore(
    openWith(t, await prepared(t), `SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT'`),
  ),
)

test('of 100 identical codes at once, through two pools, exactly one is verified', async (t) => {
  const database = await prepared(t)
  const results = await sameCodeAtOnce([mysqlStore(open(t, database)), mysqlStore(open(t, database))])
  assert.equal(results.filter((result) => result === 'verified').length, 1, results.join())
  assert.deepEqual([...new Set(results)].sort(), ['already_used', 'verified'])
})

test('D2: a deadlock (1213) is a faster writer', async (t) => {
  const database = await prepared(t)
  const store = mysqlStore(open(t, database))
  const other = await connected(t, database)
  const insert = (users) =>
    other.query(`INSERT INTO second_factor VALUES ${users.map((user) => `('acme', '${user}', 'other', 1)`).join()}`)
  const deadlocks = async () => {
    const [rows] = await other.query(`SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'`)
    return Number(rows[0].Value)
  }
  const before = await deadlocks()
  // The transaction that has written less gives way.
  await other.query('BEGIN')
  await insert(['bea', ...Array.from({ length: 50 }, (_, n) => `user ${n}`)])
  const inserted = store.insertMany([ANN, BEA, { user: 'cem' }].map((id) => ({ id, record: 'mine' })))
  await waiting(await connected(t, database), 'INSERT INTO second_factor (')
  await insert(['ann'])
  await other.query('COMMIT')
  assert.deepEqual(await inserted, [false, false, true])
  assert.equal(await deadlocks(), before + 1)
})

test('D2: a row that has changed since a snapshot (1020) is a faster writer', async (t) => {
  const database = await prepared(t)
  const other = await connected(t, database)
  const pool = open(t, database)
  await mysqlStore(pool).save(ANN, 'first', undefined)
  const { version } = await mysqlStore(pool).load(ANN)
  // The error comes only in a transaction. So the pool of this test is one that begins it, as a host's wrapper of a pool might.
  const own = await connected(t, database)
  await own.query('START TRANSACTION WITH CONSISTENT SNAPSHOT')
  await other.query(`UPDATE second_factor SET record = 'other', version = 7`)
  await assert.rejects(mysqlStore(own).save(ANN, 'mine', version), isOfServer(1020))
  await own.query('ROLLBACK; START TRANSACTION WITH CONSISTENT SNAPSHOT')
  await other.query(`UPDATE second_factor SET record = 'other', version = 8`)
  const asPool = { execute: own.execute.bind(own), getConnection() {} }
  assert.equal(await mysqlStore(asPool).save(ANN, 'mine', version), false)
  await own.query('ROLLBACK')
})

test('D2: a lock that is not had in time (1205) fails, and nothing is written', async (t) => {
  const database = await prepared(t)
  const store = mysqlStore(openWith(t, database, 'SET SESSION innodb_lock_wait_timeout = 1'))
  const other = await connected(t, database)
  await store.save(ANN, 'first', undefined)
  const before = await store.load(ANN)
  await other.query('BEGIN; SELECT * FROM second_factor FOR UPDATE')
  await assert.rejects(store.save(ANN, 'mine', before.version), isOfServer(1205))
  await other.query('ROLLBACK')
  assert.deepEqual(await store.load(ANN), before)
})

test('D2: a connection that is killed in the middle of a save fails, and the next call works', async (t) => {
  const database = await prepared(t)
  const store = mysqlStore(open(t, database))
  const other = await connected(t, database)
  await store.save(ANN, 'first', undefined)
  const before = await store.load(ANN)
  for (const kill of ['KILL QUERY', 'KILL']) {
    await other.query('BEGIN; SELECT * FROM second_factor FOR UPDATE')
    const saved = assert.rejects(store.save(ANN, 'mine', before.version))
    const watcher = await connected(t, database)
    await watcher.query(`${kill} ${await waiting(watcher, 'UPDATE second_factor')}`)
    await saved
    await other.query('ROLLBACK')
    assert.deepEqual(await eventually(() => store.load(ANN)), before)
  }
})

test('D2: a save whose answer is lost has landed, and is not taken for a lost race', async (t) => {
  const database = await prepared(t)
  const proxy = await cuttingProxy(t, database, isSave)
  const store = mysqlStore(open(t, { ...database, port: proxy.port }))
  const results = await codeWithLostAnswer(store, () => proxy.cutAnswers())
  assert.deepEqual(results, ['verified', 'already_used'])
  assert.equal(proxy.cuts(), 1)
})

/** A statement that is prepared already has the command 0x17, and one with a record is long. */
const isSave = (data) => data[4] === 0x17 && data.length > 400

test('D2: in a transaction of the host an error is thrown at once', async (t) => {
  const database = await prepared(t)
  const pool = open(t, database)
  await mysqlStore(pool).save(ANN, 'first', undefined)
  const own = await pool.getConnection()
  const store = mysqlStore(own)
  await own.beginTransaction()
  assert.equal(await store.save(BEA, 'mine', undefined), true)
  assert.equal((await store.load(BEA)).record, 'mine')
  await assert.rejects(store.save(ANN, 'mine', undefined), isOfServer(1062))
  await assert.rejects(store.insertMany([{ id: ANN, record: 'mine' }]), isOfServer(1062))
  await own.rollback()
  assert.equal(await mysqlStore(pool).load(BEA), undefined, 'the host has rolled it back')
  await own.beginTransaction()
  await store.save(BEA, 'mine', undefined)
  await own.commit()
  own.release()
  assert.equal((await mysqlStore(pool).load(BEA)).record, 'mine')
})

test('D5 T53: a server that takes no writes is refused, also where it has no record', async (t) => {
  const database = await prepared(t)
  const store = mysqlStore(open(t, database))
  await store.save(ANN, 'first', undefined)
  const admin = await connected(t, database)
  await admin.query('SET GLOBAL read_only = 1')
  try {
    await assert.rejects(store.load(ANN), isFault(/replica/))
    await assert.rejects(store.load({ user: 'nobody' }), isFault(/replica/))
  } finally {
    await admin.query('SET GLOBAL read_only = 0')
  }
  assert.equal((await store.load(ANN)).record, 'first')
})

test('D5: a server whose InnoDB alone takes no writes is refused, as readers of Aurora are', async (t) => {
  const { host, port, user, database } = await startMariadb(t, { settings: { 'innodb-read-only': 'ON' } })
  const reader = await connected(t, { host, port, user, database })
  await reader.query(mysqlSchema().replaceAll('InnoDB', 'Aria'))
  await assert.rejects(mysqlStore(open(t, { host, port, user, database })).load(ANN), isFault(/replica/))
})

test('D3: a connection in another character set is refused', async (t) => {
  const database = await prepared(t)
  for (const charset of ['latin1', 'utf8mb3'])
    await assert.rejects(
      mysqlStore(openWith(t, database, `SET NAMES ${charset}`)).load(ANN),
      isFault(/utf8mb4/),
      charset,
    )
  await assert.rejects(mysqlStore(open(t, database, { charset: 'latin1' })).load(ANN), isFault(/utf8mb4/))
})

test('a connection without autocommit is refused', async (t) => {
  const store = mysqlStore(openWith(t, await prepared(t), 'SET autocommit = 0'))
  await assert.rejects(store.load(ANN), isFault(/autocommit/))
})

test('D5 T53: a connection whose mode takes no account for NULL, and finds nobody, is refused', async (t) => {
  const database = await prepared(t)
  await mysqlStore(open(t, database)).save({ user: 'ann' }, 'first', undefined)
  const store = mysqlStore(openWith(t, database, `SET SESSION sql_mode = 'EMPTY_STRING_IS_NULL'`))
  await assert.rejects(store.load({ user: 'ann' }), isFault(/EMPTY_STRING_IS_NULL/))
  await assert.rejects(store.list({ limit: 10 }), isFault(/EMPTY_STRING_IS_NULL/))
  await assert.rejects(store.revoked(), isFault(/EMPTY_STRING_IS_NULL/))
  await assert.rejects(store.revoked({ user: 'ann', session: 's' }), isFault(/EMPTY_STRING_IS_NULL/))
})

test('the revocation list is whole under a limit of the connection', async (t) => {
  const store = mysqlStore(openWith(t, await prepared(t), 'SET SESSION sql_select_limit = 1'))
  await store.revoke({ sessions: ['a', 'b'] }, { now: 1, until: 2 })
  assert.deepEqual((await store.revoked()).sessions, ['a', 'b'])
  await store.revoke({ sessions: ['s'], users: { ann: 1 }, epochs: { ann: 'x' } }, { now: 1, until: 2 })
  const { sessions, users, epochs } = await store.revoked({ user: 'ann', session: 's' })
  assert.deepEqual([sessions, { ...users }, { ...epochs }], [['s'], { ann: 1 }, { ann: 'x' }])
})

test('D1: an answer in another form is store_failed', async () => {
  const answering = (answer) => mysqlStore({ execute: async () => answer, getConnection() {} })
  const answers = [undefined, {}, [], [{}], [{ affectedRows: '1' }], [{ affectedRows: 2 }], [[]], { affectedRows: 1 }]
  for (const answer of answers) await assert.rejects(answering(answer).save(ANN, 'x', undefined), isFault(/./))
  for (const answer of [undefined, [{ affectedRows: 0 }], [[]], [[['x', 1, null]]], [[{ record: 7, version: 1 }]]])
    await assert.rejects(answering(answer).load(ANN), isFault(/./))
})

test('a pool without promises, and a value that is no pool, are refused', () => {
  const { host, port, user } = server
  const pool = callbacks.createPool({ host, port, user })
  assert.throws(() => mysqlStore(pool), /mysql2\/promise/)
  assert.doesNotThrow(() => mysqlStore(pool.promise()))
  pool.end()
  for (const value of [undefined, null, 'mysql://localhost', {}, { query() {} }])
    assert.throws(() => mysqlStore(value), { code: 'invalid_input', path: 'pool' })
})

test('tables may be created by several processes at once', async (t) => {
  for (let round = 0; round < 3; round += 1) {
    const database = await newDatabase()
    await Promise.all(Array.from({ length: 8 }, () => createMysqlTables(open(t, database))))
  }
})

test('a table that is missing is named', async (t) => {
  const store = mysqlStore(open(t, await newDatabase()), { table: 'factors' })
  for (const call of [() => store.load(ANN), () => store.save(ANN, 'x', undefined), () => store.revoked()])
    await assert.rejects(call, isFault(/no table factors or factors_revoked/))
})

test('the statements create the tables as a file too', async (t) => {
  const connection = await connected(t, await newDatabase())
  await connection.query(mysqlSchema({ table: 'factors' }))
  await createMysqlTables(connection, { table: 'factors' })
  assert.equal(await mysqlStore(connection, { table: 'factors' }).save(ANN, 'x', undefined), true)
})

test('D3: a table that would not keep the contract is refused, with the statement that mends it', async (t) => {
  const connection = await connected(t, await newDatabase())
  const text = (collation, length = 256) => `VARCHAR(${length}) CHARACTER SET utf8mb4 COLLATE ${collation} NOT NULL`
  const faults = [
    ['user_id', text('utf8mb4_general_ci'), /column user_id of second_factor is varchar\(256\) utf8mb4_general_ci/],
    ['user_id', text('utf8mb4_unicode_ci'), /column user_id/],
    ['user_id', text('utf8mb4_bin'), /column user_id/],
    ['user_id', text('utf8mb4_nopad_bin', 255), /column user_id/],
    ['account', text('utf8mb4_general_nopad_ci'), /column account/],
    ['user_id', 'VARBINARY(255) NOT NULL', /column user_id/],
    ['user_id', 'BINARY(255) NOT NULL', /column user_id/],
    ['version', 'INT NOT NULL', /column version of second_factor is int\(11\), and must be BIGINT/],
    ['version', 'DOUBLE NOT NULL', /column version/],
    ['record', 'TEXT CHARACTER SET utf8mb4 NOT NULL', /column record/],
    ['record', 'MEDIUMTEXT CHARACTER SET latin1 NOT NULL', /column record/],
  ]
  for (const [column, type, message] of faults) {
    await connection.query('DROP TABLE IF EXISTS second_factor, second_factor_revoked')
    await createMysqlTables(connection)
    await connection.query(`ALTER TABLE second_factor MODIFY ${column} ${type}`)
    const error = await createMysqlTables(connection).catch((error) => error)
    isFault(message)(error)
    await connection.query(mending(error))
    await createMysqlTables(connection)
  }
  await connection.query(`ALTER TABLE second_factor MODIFY user_id ${text('utf8mb4_nopad_bin')}`)
  await createMysqlTables(connection)
  await connection.query('ALTER TABLE second_factor ENGINE = Aria')
  const error = await createMysqlTables(connection).catch((error) => error)
  isFault(/engine Aria/)(error)
  await connection.query(mending(error))
  await createMysqlTables(connection)
})

test('D1: a table without a unique key of account and user is refused', async (t) => {
  const connection = await connected(t, await prepared(t))
  await connection.query('ALTER TABLE second_factor DROP PRIMARY KEY')
  for (const key of ['INDEX one (account, user_id)', 'UNIQUE one (user_id)', 'UNIQUE one (account(8), user_id(8))']) {
    await connection.query(`ALTER TABLE second_factor ADD ${key}`)
    await assert.rejects(createMysqlTables(connection), isFault(/ADD PRIMARY KEY \(account, user_id\)/), key)
    await connection.query('ALTER TABLE second_factor DROP INDEX one')
  }
  await connection.query(mending(await createMysqlTables(connection).catch((error) => error)))
  await createMysqlTables(connection)
})

/** The statement that a message names. */
const mending = ({ message }) => /: run (ALTER TABLE .*)$/.exec(message)[1]
