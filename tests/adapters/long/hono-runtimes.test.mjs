// The examples of Hono on the other runtimes, in the same cases.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { before } from 'node:test'
import { build } from 'esbuild'
import { at } from '../../../scripts/common.mjs'
import { binary, folderOf } from '../../runtimes/support.mjs'
import { conforms } from '../conformance.mjs'
import { examplesWith } from '../service.mjs'

const engines = await folderOf('engines')
const folder = examplesWith()
const clock = at('tests/adapters/clock.mjs')
// Node's options are none of theirs.
const env = { NODE_OPTIONS: '' }

conforms('Hono 4 on Bun', {
  folder,
  node: binary(engines, '@oven', 'bun-', 'bin/bun'),
  args: () => ['--preload', clock, 'hono-bun.js'],
  env,
})

const allowed = ['--allow-read', '--allow-write', '--allow-env', '--allow-sys', '--allow-net']
conforms('Hono 4 on Deno', {
  folder,
  node: binary(engines, '@deno', '', 'deno'),
  args: () => ['run', '--node-modules-dir=manual', ...allowed, '--preload', clock, 'hono-deno.js'],
  env: { ...env, DENO_DIR: join(engines, 'deno-cache'), DENO_NO_UPDATE_CHECK: '1' },
})

const worker = join(engines, 'hono-worker')
before(async () => {
  mkdirSync(worker, { recursive: true })
  const { warnings } = await build({
    entryPoints: [at('tests/adapters/long/worker.mjs')],
    outfile: join(worker, 'worker.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    conditions: ['workerd'],
    external: ['*.wasm?module', 'cloudflare:*'],
    nodePaths: [at('tests/adapters/node_modules')], // of the example, which has none beside it
    logLevel: 'warning',
  })
  assert.deepEqual(warnings, [])
  cpSync(at('pkg/engine.wasm'), join(worker, 'engine.wasm'))
  cpSync(at('tests/adapters/long/workerd.capnp'), join(worker, 'workerd.capnp'))
})

conforms(
  'Hono 4 on workerd',
  {
    folder: worker,
    node: binary(engines, '@cloudflare', 'workerd-', 'bin/workerd'),
    args: (data) => ['serve', 'workerd.capnp', `--directory-path=clock=${data}`, '--control-fd=1'],
    ready: /"socket":"http","port":(\d+)/,
    env,
  },
  { without: { 'a store that cannot be had is 503, and lets nobody in': 'The example keeps records in memory.' } },
)
