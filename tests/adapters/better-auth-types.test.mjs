// The types of better-auth and of the adapter fit together.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const STRICT = ['--ignoreConfig', '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck']
const MODULES = ['--module', 'nodenext', '--target', 'es2022']

test('the plugins have the types that better-auth asks for', () => {
  const tsc = at('../../node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...STRICT, ...MODULES, at('better-auth-types.ts')], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout)
})
