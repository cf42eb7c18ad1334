// The example as it is started by hand: the provider, the API and the clients, each in a process of its own, whose clock is moved.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ACR, Browser, codeOf, enroll, password, wait, waited } from './oidc-provider-house.mjs'

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
    createInterface(child.stdout).on('line', (line) => / listens? on http/.test(line) && resolve(undefined))
  })
}

test('A5: the example, from the first log-in to a step-up for a payment', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'oidc-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const clock = join(folder, 'clock')
  const setClocks = () => writeFileSync(clock, String(waited()))
  setClocks()
  const [port, apiPort, clientsPort] = [await freePort(), await freePort(), await freePort()]
  const [issuer, api, clients] = [port, apiPort, clientsPort].map((each) => `http://localhost:${each}`)
  const env = { CLOCK_FILE: clock, ISSUER: issuer, API_URL: api, CLIENTS: clients }
  await start(t, 'op.js', { ...env, PORT: String(port) })
  await start(t, 'resource-server.js', { ...env, PORT: String(apiPort) })
  await start(t, 'clients.js', { ...env, PORT: String(clientsPort) })

  // One person's browser, at the clients and at the provider.
  const [atClients, atProvider] = [new Browser(clients), new Browser(issuer)]
  const go = async (path) => {
    let next = await atClients.go(`${clients}${path}`)
    while (next instanceof URL) {
      const provided = await atProvider.go(next.href)
      if (!(provided instanceof URL)) return provided
      next = await atClients.go(provided.href)
    }
    return next
  }
  const back = async (url) => {
    const next = await atClients.go(url.href)
    return next instanceof URL ? go(next.pathname) : next
  }

  assert.match((await go('/intranet/login')).text, /<h1>Log in/)
  await password(atProvider)
  // Its code is of the time to which the clocks go.
  const { secret, back: first } = await enroll(atProvider, setClocks)
  assert.equal(JSON.parse((await back(first)).text).acr, ACR)
  assert.equal((await go('/intranet/pay')).text, 'the API answered 200')
  assert.equal(JSON.parse((await go('/payroll/login')).text).acr, ACR, 'without another page')

  wait(301)
  setClocks()
  assert.match((await go('/intranet/pay')).text, /<h1>Second factor/)
  const code = codeOf(secret)
  setClocks()
  const end = await atProvider.post({ action: 'verify', method: 'totp', code })
  assert.equal((await back(end)).text, 'the API answered 200')
})
