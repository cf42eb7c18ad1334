// T53: each store that is shipped passes the conformance kit on its real server, through several processes too.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { KINDS } from '../once/kinds.mjs'
import { SERVERS } from '../once/rounds.mjs'
import { without } from '../servers/server.mjs'

const KIT = fileURLToPath(new URL('kit.mjs', import.meta.url))

for (const [name, { needs, start }] of Object.entries(SERVERS)) {
  test(`T53: the store passes the conformance kit: ${name}`, { skip: without(...needs) }, async (t) => {
    const [kind, address] = await start(t)
    const opened = await KINDS[kind](address)
    await opened.prepare()
    await opened.close()
    const env = { ...process.env, STORE_KIND: kind, STORE_ADDRESS: JSON.stringify(address), NODE_TEST_CONTEXT: '' }
    const run = promisify(execFile)(process.execPath, ['--test-reporter=tap', KIT], { env, maxBuffer: 2 ** 26 })
    const { stdout } = await run.catch((error) => error)
    assert.match(stdout, /^# pass 27$/m, stdout.slice(-6_000))
    assert.match(stdout, /^# fail 0$/m)
  })
}
