// A move from better-auth's own second factor: its secrets are imported, and its users log in by the apps that they have.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { otpauth } from 'countersign'
import { codeOf, generateKeys, PASSWORD, SECRET, secondStep, signedUp, startAuth } from './better-auth-service.mjs'
import { twoFactor } from './better-auth-ways.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

test('I1: users of twoFactor log in with the apps that they have, and keep their sessions out', async (t) => {
  const file = join(mkdtempSync(join(tmpdir(), 'better-auth-')), 'auth.sqlite')
  const keys = JSON.stringify(generateKeys())
  const before = await startAuth(t, { options: { database: new Database(file) }, mine: () => [twoFactor()] })
  const { browser, email, id } = await signedUp(before)
  const { body } = await browser.post('/two-factor/enable', { password: PASSWORD })
  const { secret } = otpauth.parse(body.totpURI)
  assert.equal((await browser.post('/two-factor/verify-totp', { code: codeOf(before, secret) })).status, 200)

  const service = await startAuth(t, { options: { database: new Database(file) }, own: { keys } })
  const command = spawnSync(
    process.execPath,
    [
      ...['--import', at('use-frameworks.mjs'), at('../../pkg/cli.cjs'), 'import', '--from', 'better-auth'],
      ...['--config', at('better-auth-import-config.mjs'), '--write', '--operator', 'move', `sqlite:${file}`],
    ],
    { encoding: 'utf8', env: { ...process.env, COUNTERSIGN_KEYS: keys, DATABASE: file, BETTER_AUTH_SECRET: SECRET } },
  )
  assert.equal(command.status, 0, command.stderr + command.stdout)
  const again = service.browser()
  for (const [name, value] of browser.jar) again.jar.set(name, value)
  assert.equal(await again.user(), undefined, 'a session of before has no second factor here')
  const login = service.browser()
  assert.equal((await login.post('/sign-in/email', { email, password: PASSWORD })).body.result, 'challenge')
  service.clock.offset += 30
  const verified = await secondStep(service, login, secret)
  assert.equal(verified.status, 200, verified.text)
  assert.equal(verified.body.backupCodes?.length, 1, 'new backup codes')
  assert.equal(await login.user(), id)
})
