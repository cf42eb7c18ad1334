// The suite in each runtime.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { build } from 'esbuild'
import { run } from '../../scripts/common.mjs'
import { binary, eachRunsAlone, folderOf, oneGetsIn, passed, resultIn, serve, versionOf } from './support.mjs'

const folder = await folderOf('engines')

const inNode = async (program) => {
  const version = (await run(program, ['--version'], { silent: true })).trim().slice(1)
  const result = resultIn(await run(program, ['run.mjs'], { cwd: folder, silent: true }))
  passed(result, { in: `Node ${version.split('.')[0]}`, version, how: 'import and require, one instance' })
}

for (const major of [20, 22, 24, 26])
  test(`Node ${major}`, () => inNode(binary(folder, '', `node-${major}-`, 'bin/node')))

test('Bun', async () => {
  const result = resultIn(
    await run(binary(folder, '@oven', 'bun-', 'bin/bun'), ['run.mjs'], { cwd: folder, silent: true }),
  )
  passed(result, { in: 'Bun', version: versionOf(folder, 'bun'), how: 'import and require, one instance' })
})

test('Deno', async () => {
  const args = ['run', '--node-modules-dir=manual', '--allow-read', '--allow-env', '--allow-sys', 'run.mjs']
  const cache = join(folder, 'deno-cache')
  rmSync(cache, { recursive: true, force: true }) // it keeps the scripts of a package by their path, also those of the build before
  const env = { DENO_DIR: cache, DENO_NO_UPDATE_CHECK: '1' }
  const result = resultIn(await run(binary(folder, '@deno', '', 'deno'), args, { cwd: folder, env, silent: true }))
  passed(result, { in: 'Deno', version: versionOf(folder, 'deno'), how: 'import and require, one instance' })
})

test('K1: workerd', async (t) => {
  await build({
    entryPoints: [join(folder, 'worker.mjs')],
    outfile: join(folder, 'bundled/worker.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    conditions: ['workerd'],
    external: ['*.wasm?module'],
    logLevel: 'warning',
  })
  const program = binary(folder, '@cloudflare', 'workerd-', 'bin/workerd')
  const args = ['serve', 'workerd.capnp', '--control-fd=1']
  const ready = /"socket":"plain","port":(\d+)[\s\S]*"socket":"compat","port":(\d+)/
  const { match } = await serve(t, program, args, { cwd: folder, ready })
  for (const [port, flag, extent] of [
    [match[1], 'without', 'all'],
    [match[2], 'with', 'short'],
  ]) {
    await oneGetsIn(`http://127.0.0.1:${port}`)
    await eachRunsAlone(`http://127.0.0.1:${port}`)
    const answer = await fetch(`http://127.0.0.1:${port}/${extent}`)
    const how = `${flag} \`nodejs_compat\`, \`engine.wasm\` as a module`
    passed(await answer.json(), { in: 'workerd', version: versionOf(folder, 'workerd'), how })
  }
})
