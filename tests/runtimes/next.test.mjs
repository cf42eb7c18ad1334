// A small app of Next, built by Turbopack and by webpack: a route in Node, one in the edge runtime, and a page.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { run } from '../../scripts/common.mjs'
import { launchChromium } from '../browser/launch.mjs'
import { drawnAt, folderOf, note, passed, serve, versionOf } from './support.mjs'

const folder = await folderOf('next')
const browser = await launchChromium()
after(() => browser.close())
const NEXT = 'node_modules/next/dist/bin/next'
const env = { NEXT_TELEMETRY_DISABLED: '1' }

for (const bundler of ['turbopack', 'webpack']) {
  test(`K2: Next, ${bundler}: Node, edge and a page`, async (t) => {
    rmSync(join(folder, '.next'), { recursive: true, force: true })
    const built = await run(process.execPath, [NEXT, 'build', `--${bundler}`], { cwd: folder, env, silent: true })
    assert.doesNotMatch(built, /warning|not supported in the Edge Runtime/i)
    const args = [NEXT, 'start', '--port', '0', '--hostname', '127.0.0.1']
    const { match } = await serve(t, process.execPath, args, {
      cwd: folder,
      ready: /(http:\/\/127\.0\.0\.1:[1-9]\d*)[\s\S]*Ready/,
      env,
    })
    const row = { in: `Next, ${bundler === 'webpack' ? 'webpack' : 'Turbopack'}`, version: versionOf(folder, 'next') }
    for (const [path, how] of [
      ['node', 'a route in Node'],
      ['edge', 'a route in the edge runtime'],
    ])
      passed(await (await fetch(`${match[1]}/${path}`)).json(), { ...row, how })
    assert.equal(await drawnAt(browser, `${match[1]}/page`), 'drawn')
    note({ ...row, how: 'a page' })
  })
}
