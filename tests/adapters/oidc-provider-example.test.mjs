// The example as it is started by hand: the provider and the API, each in a process of its own, whose clock is moved.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ACR, Browser, codeOf, enroll, password, requestOf, wait, waited } from './oidc-provider-house.mjs'

const file = (path) => fileURLToPath(new URL(path, import.meta.url))

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, 'localhost', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Starts a file of the example, until it says that it listens. */
async function start(t, name, env) {
  const preload = ['./frameworks.mjs', './clock.mjs'].flatMap((path) => ['--import', file(path)])
  const child = spawn(process.execPath, [...preload, file(`../../examples/adapters/oidc-provider/${name}`)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(async () => {
    if (child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill()
    await ended
  })
  await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`${name} ended`)))
    createInterface(child.stdout).on('line', (line) => line.includes('listens on') && resolve(undefined))
  })
}

test('A5: the example, from the first log-in to a step-up for a payment', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'oidc-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const clock = join(folder, 'clock')
  const setClocks = () => writeFileSync(clock, String(waited()))
  setClocks()
  const [port, apiPort] = [await freePort(), await freePort()]
  const issuer = `http://localhost:${port}`
  const env = { CLOCK_FILE: clock, ISSUER: issuer }
  await start(t, 'op.js', { ...env, PORT: String(port) })
  await start(t, 'resource-server.js', { ...env, PORT: String(apiPort) })
  const pay = (token) =>
    fetch(`http://localhost:${apiPort}/payments`, { headers: { authorization: `Bearer ${token}` } })
  const later = (seconds) => {
    wait(seconds)
    setClocks()
  }

  const browser = new Browser(issuer)
  const first = await requestOf(issuer, 'intranet')
  await browser.go(first.url)
  await password(browser)
  // Its code is of the time to which the clocks go.
  const { secret, back } = await enroll(browser, setClocks)
  const tokens = await first.redeem(back)
  assert.equal(tokens.claims().acr, ACR)
  assert.equal((await pay(tokens.access_token)).status, 200)

  later(301)
  const refusal = await pay(tokens.access_token)
  assert.equal(refusal.status, 401)
  assert.match(refusal.headers.get('www-authenticate'), /insufficient_user_authentication/)
  const [, max_age] = /max_age="(\d+)"/.exec(refusal.headers.get('www-authenticate'))
  const again = await requestOf(issuer, 'payroll', { max_age })
  await browser.go(again.url)
  assert.match(browser.page.text, /<h1>Second factor/)
  const code = codeOf(secret)
  setClocks()
  const end = await browser.post({ action: 'verify', method: 'totp', code })
  const { access_token } = await again.redeem(end)
  assert.equal((await pay(access_token)).status, 200)
})
