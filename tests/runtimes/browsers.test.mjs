// The suite in browsers, over the engine as an edge worker loads it, and the files for pages as they are.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { build } from 'esbuild'
import { launchChromium, launchFirefox } from '../browser/launch.mjs'
import { site } from '../browser/site.mjs'
import { folderOf, note, passed } from './support.mjs'

const folder = await folderOf('engines')
const pkg = (name) => readFileSync(join(folder, 'node_modules/countersign/pkg', name))

const outfile = join(folder, 'bundled/page.mjs')
await build({
  entryPoints: [join(folder, 'suite.mjs')],
  outfile,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  conditions: ['workerd'],
  plugins: [
    {
      name: 'compiled in the page',
      setup: ({ onResolve, onLoad }) => {
        onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: 'engine' }))
        onLoad({ filter: /./, namespace: 'engine' }, () => ({
          contents: "export default await WebAssembly.compileStreaming(fetch('/engine.wasm'))",
        }))
      },
    },
  ],
  logLevel: 'warning',
})

for (const [name, launch] of /** @type {const} */ ([
  ['Chromium', launchChromium],
  ['Firefox', launchFirefox],
])) {
  test(name, async (t) => {
    const browser = await launch()
    t.after(() => browser.close())
    const files = {
      '/suite.mjs': ['text/javascript', readFileSync(outfile)],
      '/engine.wasm': ['application/wasm', pkg('engine.wasm')],
      '/browser.mjs': ['text/javascript', pkg('browser.mjs')],
      '/countersign.wasm': ['application/wasm', pkg('countersign.wasm')],
    }
    const { origin } = await site(t, { files })
    const page = await browser.newPage()
    page.setDefaultTimeout(0) // a suite that hangs ends with the test
    await page.goto(origin)
    const result = await page.evaluate(async (address) => (await import(address)).conformance('all'), '/suite.mjs')
    const row = { in: name, version: browser.version() }
    passed(result, { ...row, how: 'the engine, bundled with the condition `workerd`' })
    const svg = await page.evaluate(async (address) => {
      const { previewEnrollment } = await import(address)
      return (await previewEnrollment({ issuer: 'Acme', label: 'ann' })).svg
    }, '/browser.mjs')
    assert.match(svg, /^<svg /)
    note({ ...row, how: '`countersign/browser`, as it is' })
  })
}
