// The shared scenarios and vectors in a real browser: the same tests as in tests/node, bundled for a page with the
// TypeScript layer, over the engine that the package ships.

import assert from 'node:assert/strict'
import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { engine } from '../shared/engine.mjs'
import { site } from './site.mjs'
import { newPage } from './support.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const files = Object.fromEntries(
  ['scenarios', 'vectors'].flatMap((folder) =>
    readdirSync(join(root, 'tests', folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => [`${folder}/${name}`, readFileSync(join(root, 'tests', folder, name), 'utf8')]),
  ),
)

async function bundled(name) {
  const inPage = {
    name: 'in a page',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node:(test|assert\/strict|fs|crypto)$/ }, ({ path }) =>
        path === 'node:assert/strict'
          ? { path: 'assert', namespace: 'page' }
          : { path: join(root, 'tests/browser/in-page.mjs') },
      )
      onLoad({ filter: /./, namespace: 'page' }, () => ({
        contents: "import * as assert from './in-page.mjs'\nexport default assert",
        resolveDir: join(root, 'tests/browser'),
      }))
      onResolve({ filter: /^countersign$/ }, () => ({ path: join(root, 'js/index.ts') }))
      onResolve({ filter: /^countersign\/operator$/ }, () => ({ path: join(root, 'js/operator.ts') }))
      onResolve({ filter: /^countersign\/testing$/ }, () => ({ path: join(root, 'js/testing.ts') }))
      // The page has fetched the engine, which it may compile.
      onResolve({ filter: /^\.\/platform\.js$/ }, () => ({ path: join(root, 'js/platform-edge.ts') }))
      onLoad({ filter: /\.wasm$/ }, () => ({
        contents: 'export default new WebAssembly.Module(globalThis.moduleBytes)',
      }))
    },
  }
  const {
    outputFiles: [{ text }],
  } = await build({
    entryPoints: [join(root, 'tests/node', name)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    plugins: [inPage],
    logLevel: 'warning',
  })
  return text
}

function nodeCrypto(request, response) {
  let body = ''
  request
    .on('data', (part) => (body += part))
    .on('end', () => {
      const question = JSON.parse(body)
      const bytes = (text) => Buffer.from(text, 'base64url')
      const privateKey = () => createPrivateKey({ key: question.key ?? question.publicOf, format: 'jwk' })
      response.end(
        question.hmac
          ? createHmac(question.hmac, bytes(question.key)).update(bytes(question.data)).digest('base64url')
          : question.sign !== undefined
            ? sign(null, bytes(question.sign), privateKey()).toString('base64url')
            : JSON.stringify(createPublicKey(privateKey()).export({ format: 'jwk' })),
      )
    })
}

const isScenario = (name) => name.startsWith('scenarios/') && name !== 'scenarios/defaults.json'
const scenarios = Object.keys(files).filter(isScenario).length
const mistakes = JSON.parse(files['vectors/stories-invalid.json']).length

// [file, least number of tests in it]: one for each scenario and each mistake, and one that counts
for (const [name, least] of [
  ['scenarios.test.mjs', scenarios + mistakes + 1],
  ['vectors.test.mjs', 250],
]) {
  test(`tests/node/${name} passes in the browser`, async (t) => {
    const at = await site(t, {
      files: {
        [`/node/${name}`]: ['text/javascript', await bundled(name)],
        '/node-crypto': nodeCrypto,
        '/engine.wasm': ['application/wasm', engine],
      },
    })
    const page = await newPage(t)
    await page.goto(at.origin)
    const results = await page.evaluate(
      async ([files, address]) => {
        globalThis.testFiles = files
        globalThis.moduleBytes = new Uint8Array(await (await fetch('/engine.wasm')).arrayBuffer())
        await import(address)
        return globalThis.finished()
      },
      [files, `/node/${name}`],
    )
    assert.deepEqual(
      results.filter(({ error }) => error),
      [],
    )
    assert.ok(results.length >= least, `only ${results.length} ran`)
    const browser = page.context().browser()
    t.diagnostic(`${results.length} tests passed in ${browser.browserType().name()} ${browser.version()}`)
  })
}
