// The README's code is run as it stands there: enroll, log in, and be refused, over HTTP.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { generateKeys, totp } from 'countersign'

const root = fileURLToPath(new URL('../../', import.meta.url))
const readme = readFileSync(`${root}README.md`, 'utf8')
const blocks = [...readme.matchAll(/<!-- run by tests\/node\/readme\.test\.mjs -->\n```js\n([\s\S]*?)```/g)].map(
  ([, code]) => code,
)

test('the login handler has at most fifteen lines', () => {
  assert.equal(blocks.length, 2)
  assert.ok(blocks[0].trimEnd().split('\n').length <= 15)
})

test('the README takes an engineer to a working login', async (t) => {
  const folder = `${root}target/readme-${process.pid}`
  mkdirSync(folder, { recursive: true })
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const express = pathToFileURL(createRequire(`${root}examples/login/package.json`).resolve('express'))
  // The README leaves to the host: a session, a first factor, and the login after the second.
  writeFileSync(
    `${folder}/app.mjs`,
    `
import Database from 'better-sqlite3'
import { createSecondFactor, sqliteStore } from 'countersign'
import express from '${express}'
export const app = express()
app.use(express.json(), (req, res, next) => {
  req.sessionID = req.get('x-session')
  Object.assign(req, sessions.get(req.sessionID))
  next()
})
const checkPassword = (req, res, next) => { req.user = req.body.user; next() }
const signedIn = (req, res, next) => { req.user ??= req.get('x-user'); next() }
export const sessions = new Map()
const logIn = async (req, user, session, pass) => { sessions.set(session, { user, pass }) }
${blocks.join('\n')}`,
  )
  process.env.COUNTERSIGN_KEYS = JSON.stringify(generateKeys())
  process.env.DATABASE = `${folder}/app.db`
  const { app, sessions } = await import(pathToFileURL(`${folder}/app.mjs`).href)
  const server = app.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((done) => server.once('listening', done))
  const post = async (path, body, session = 's1') => {
    const answer = await fetch(`http://127.0.0.1:${server.address().port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-session': session, 'x-user': 'ann' },
      body: JSON.stringify(body),
    })
    return answer.json()
  }
  assert.deepEqual(await post('/login', { user: 'ann' }), { result: 'allowed', enroll: true })
  const { secret } = await post('/security/app', {})
  // A step of the app's code must not end while the test uses it.
  while ((Date.now() / 1000) % 30 > 20) await sleep(500)
  const now = Math.floor(Date.now() / 1000)
  // The window reaches one step back: enrolling with the code before leaves the present one for the login.
  const enrolled = await post('/security/app/confirm', { code: totp.generate({ secret, time: now - 30 }) })
  assert.equal(enrolled.result, 'enrolled')
  assert.equal(enrolled.backupCodes.length, 10)
  const { result, ticket } = await post('/login', { user: 'ann' }, 's2')
  assert.equal(result, 'challenge')
  assert.equal((await post('/login/code', { ticket, method: 'totp', code: '000000' }, 's2')).result, 'wrong')
  assert.equal(
    (await post('/login/code', { ticket, method: 'totp', code: totp.generate({ secret, time: now }) }, 'other')).reason,
    'ticket_invalid',
  )
  const verified = await post(
    '/login/code',
    { ticket, method: 'totp', code: totp.generate({ secret, time: now }) },
    's2',
  )
  assert.deepEqual(
    [verified.result, verified.pass, verified.session],
    ['verified', undefined, undefined],
    'pages see neither pass nor session id',
  )
  const [newSession] = sessions.keys()
  // The pass is kept in the new session and counts there as a fresh factor.
  assert.equal((await post('/security/app', {}, newSession)).result, 'totp_started')
  assert.equal((await post('/security/app', {}, 's2')).reason, 'fresh_factor_required')
})
