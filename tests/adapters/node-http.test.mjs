// The adapter of docs/writing-an-adapter.md, and its example.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'
import { at } from '../../scripts/common.mjs'
import { blocksOf } from '../docs/blocks.mjs'
import { conforms } from './conformance.mjs'

conforms('node:http', {
  folder: fileURLToPath(new URL('../../examples/adapters', import.meta.url)),
  file: 'node-http.js',
})

test('the adapter in the guide is the one of the example, with types', () => {
  const plain = (code, loader) => transformSync(code, { loader, minifyWhitespace: true, target: 'es2022' }).code
  const block = blocksOf('docs/writing-an-adapter.md').find(({ name }) => name === 'node-http-adapter.ts')
  assert.equal(
    plain(block?.code ?? '', 'ts'),
    plain(readFileSync(at('examples/adapters/node-http-adapter.js'), 'utf8'), 'js'),
  )
})
