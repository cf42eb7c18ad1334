// Bundlers build a small app: a program for Node, run without node_modules beside it, a page in Chromium, and a worker.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { build, version as esbuildVersion } from 'esbuild'
import { at, freePorts, run } from '../../scripts/common.mjs'
import { launchChromium } from '../browser/launch.mjs'
import { site } from '../browser/site.mjs'
import { binary, drawnAt, folderOf, note, oneGetsIn, passed, resultIn, serve, versionOf } from './support.mjs'

const folder = await folderOf('bundlers')
const browser = await launchChromium()
after(() => browser.close())

/** Runs a program in a folder that has no packages. */
async function runAlone(file) {
  const alone = at('target/runtimes/alone')
  rmSync(alone, { recursive: true, force: true })
  cpSync(file, join(alone, 'program', file.split('/').at(-1)))
  return resultIn(
    await run(process.execPath, readdirSync(join(alone, 'program')), { cwd: join(alone, 'program'), silent: true }),
  )
}

/** The same with the files of a folder as a web site. */
async function drawnIn(t, built) {
  const types = { mjs: 'text/javascript', js: 'text/javascript', wasm: 'application/wasm', html: 'text/html' }
  const entries = readdirSync(built, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('.'))
    .map((name) => [`/${name}`, [types[name.split('.').at(-1)] ?? 'text/plain', readFileSync(join(built, name))]])
  const html = `<!doctype html><title>Test</title><link rel="icon" href="data:,"><script type="module" src="/page.mjs"></script>`
  // The files of the package, which `site` serves, are not those of the app.
  const files = { '/countersign.wasm': undefined, ...Object.fromEntries(entries), '/page.html': ['text/html', html] }
  const at = await site(t, { files })
  return drawnAt(browser, `${at.origin}/page.html`)
}

const MOVED = /^not_loaded: the WebAssembly is not at .*: hand its address to `load\(\{ wasm \}\)`/

/** A page whose bundler leaves the module behind: the error says so, and the page draws once the module is beside it. */
async function drawsWithModuleBeside(t, name, row) {
  const built = join(folder, 'out', name)
  assert.match(await drawnIn(t, built), MOVED)
  cpSync(join(folder, 'node_modules/countersign/pkg/countersign.wasm'), join(built, 'countersign.wasm'))
  assert.equal(await drawnIn(t, built), 'drawn')
  note({ ...row, how: 'a page', note: 'copy `countersign.wasm` beside the bundle, or hand its address to `load`' })
}

for (const format of /** @type {const} */ (['esm', 'cjs'])) {
  test(`K2: esbuild, ${format}`, async () => {
    const outfile = join(folder, `out/esbuild/login.${format === 'esm' ? 'mjs' : 'cjs'}`)
    const options = { bundle: true, minify: true, format, outfile, logLevel: 'warning' }
    const { warnings } = await build({ ...options, entryPoints: [join(folder, 'login.mjs')], platform: 'node' })
    assert.deepEqual(warnings, [])
    passed(await runAlone(outfile), { in: 'esbuild', version: esbuildVersion, how: `a program for Node, ${format}` })
  })
}

test('K3: esbuild, a page', async (t) => {
  const options = { bundle: true, format: /** @type {const} */ ('esm'), logLevel: /** @type {const} */ ('warning') }
  await build({
    ...options,
    entryPoints: [join(folder, 'page.mjs')],
    outdir: join(folder, 'out/esbuild-page'),
    outExtension: { '.js': '.mjs' },
  })
  await drawsWithModuleBeside(t, 'esbuild-page', { in: 'esbuild', version: esbuildVersion })
})

test('webpack, a program and a page', async (t) => {
  const warnings = await run(process.execPath, ['webpack.mjs'], { cwd: folder, silent: true })
  assert.equal(warnings.trim(), '')
  const version = versionOf(folder, 'webpack')
  passed(await runAlone(join(folder, 'out/webpack/login.cjs')), { in: 'webpack', version, how: 'a program for Node' })
  assert.equal(await drawnIn(t, join(folder, 'out/webpack-page')), 'drawn')
  note({ in: 'webpack', version, how: 'a page' })
})

test('K3: Rollup, a program and a page', async (t) => {
  const warnings = await run(process.execPath, ['rollup.mjs'], { cwd: folder, silent: true })
  assert.equal(warnings.trim(), '')
  const version = versionOf(folder, 'rollup')
  const row = { in: 'Rollup', version, how: 'a program for Node', note: 'with `@rollup/plugin-commonjs`' }
  passed(await runAlone(join(folder, 'out/rollup/login.mjs')), row)
  await drawsWithModuleBeside(t, 'rollup-page', { in: 'Rollup', version })
})

test('K1: wrangler', async (t) => {
  const args = ['node_modules/wrangler/bin/wrangler.js', 'dev', '--port', '0', '--inspector-port', '0']
  const node = binary(await folderOf('engines'), '', 'node-22-', 'bin/node') // the oldest that it runs in
  const env = { WRANGLER_SEND_METRICS: 'false', CI: 'true', HOME: folder }
  const { match } = await serve(t, node, args, { cwd: folder, ready: /Ready on (http:\S+)/, env })
  await oneGetsIn(match[1])
  const answer = await fetch(`${match[1]}/short`)
  passed(await answer.json(), {
    in: 'wrangler',
    version: versionOf(folder, 'wrangler'),
    how: 'a Cloudflare Worker without `nodejs_compat`',
  })
})

for (const major of [7, 8]) {
  test(`K3: Vite ${major}: a page built and in development, and SSR`, async (t) => {
    const folder = await folderOf(`vite-${major}`)
    const version = versionOf(folder, 'vite')
    const vite = (...args) =>
      run(process.execPath, ['node_modules/vite/bin/vite.js', ...args], { cwd: folder, silent: true })
    const row = { in: `Vite ${major}`, version }

    const started = async (...args) => {
      const ready = /(http:\/\/127\.0\.0\.1:\d+)/
      const command = ['node_modules/vite/bin/vite.js', ...args, '--host', '127.0.0.1']
      const { match } = await serve(t, process.execPath, command, { cwd: folder, ready, env: { NO_COLOR: '1' } })
      return match[1]
    }
    const [port] = await freePorts(1)

    await vite('build', '--outDir', 'out/page')
    const built = await started('preview', '--outDir', 'out/page', '--port', `${port}`)
    for (const name of ['index', 'with-address'])
      assert.equal(await drawnAt(browser, `${built}/${name}.html`), 'drawn', name)
    note({ ...row, how: 'a page, built' })

    const [other] = await freePorts(1)
    const inDevelopment = await started('--port', `${other}`, '--strictPort')
    // Vite 7 prepares packages in a folder of its own, and leaves the module behind.
    const drawn = await drawnAt(browser, `${inDevelopment}/index.html`)
    if (major === 7) assert.match(drawn, MOVED)
    else assert.equal(drawn, 'drawn')
    assert.equal(await drawnAt(browser, `${inDevelopment}/with-address.html`), 'drawn')
    const advice = 'hand the address to `load`, from `countersign/countersign.wasm?url`'
    note({ ...row, how: 'a page, in development', ...(major === 7 && { note: advice }) })

    await vite('build', '--ssr', 'login.mjs', '--outDir', 'out/ssr')
    const program = join(folder, 'out/ssr/login.js')
    passed(resultIn(await run(process.execPath, [program], { cwd: folder, silent: true })), { ...row, how: 'SSR' })
    await vite('build', '--ssr', 'login.mjs', '--outDir', 'out/bundled', '--config', 'ssr.config.mjs')
    passed(await runAlone(join(folder, 'out/bundled/login.mjs')), { ...row, how: 'SSR, bundled whole' })
  })
}
