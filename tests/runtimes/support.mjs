// A folder of its own for each group of the matrix: its packages by its lock file, the packed package, the suite and its app.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { at, hashOf, npm, Problem, run } from '../../scripts/common.mjs'

const TARGET = 'target/runtimes'

/**
 * The folder of a group, ready to run.
 * @param {string} group  the folder in tests/runtimes with its package.json and lock file
 */
export async function folderOf(group) {
  const [from, to] = [`tests/runtimes/${group}`, at(TARGET, group)]
  mkdirSync(to, { recursive: true })
  const wanted = hashOf([`${from}/package.json`, `${from}/package-lock.json`], process.versions.modules)
  const mark = join(to, '.installed')
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
    for (const name of ['package.json', 'package-lock.json']) cpSync(at(from, name), join(to, name))
    await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: to, silent: true }).catch((error) => {
      throw new Problem(`The packages of ${from} could not be installed: ${error.output ?? error.message}`)
    })
    writeFileSync(mark, wanted)
  }
  rmSync(join(to, 'out'), { recursive: true, force: true })
  const isOurs = (path) => !/[\\/](node_modules|package(-lock)?\.json)$/.test(path)
  for (const source of ['tests/runtimes/app', from]) cpSync(at(source), to, { recursive: true, filter: isOurs })
  const home = join(to, 'node_modules/countersign')
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  await run('tar', ['-xzf', await packed(), '--strip-components=1', '-C', home], { silent: true })
  for (const format of /** @type {const} */ (['esm', 'cjs']))
    for (const name of ['suite', 'component']) await bundle(name, format, to)
  return to
}

/** The tarball that npm would publish, packed once in each file of tests. */
const packed = once(async () => {
  const folder = at(TARGET, `tarball-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const options = ['--json', '--loglevel', 'error', '--ignore-scripts', '--pack-destination', folder]
  const [{ filename }] = JSON.parse(await npm(['pack', ...options], { silent: true }))
  return join(folder, filename)
})

function once(make) {
  let made
  return () => (made ??= make())
}

/** The suite, or the component, as one file with its data, which imports the package alone. */
async function bundle(name, format, folder) {
  const data = Object.fromEntries(
    ['scenarios', 'vectors'].flatMap((folder) =>
      readdirSync(at('tests', folder))
        .filter((name) => name.endsWith('.json'))
        .map((name) => [`/${folder}/${name}`, readFileSync(at('tests', folder, name), 'utf8')]),
    ),
  )
  const inlined = {
    name: 'inlined',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node:fs$/ }, () => ({ path: 'files', namespace: 'inlined' }))
      onLoad({ filter: /^files$/, namespace: 'inlined' }, () => ({
        contents: `const files = ${JSON.stringify(data)}
export const readFileSync = (url) => files[url.pathname]
export const readdirSync = (url) =>
  Object.keys(files).filter((name) => name.startsWith(url.pathname)).map((name) => name.slice(url.pathname.length))`,
      }))
      onResolve({ filter: /^node:assert\/strict$/ }, () => ({ path: 'assert', namespace: 'inlined' }))
      onLoad({ filter: /^assert$/, namespace: 'inlined' }, () => ({
        contents: "import * as assert from './shared/plain-assert.mjs'\nexport default assert",
        resolveDir: at('tests'),
      }))
      // Each runtime hashes where it does by itself.
      onResolve({ filter: /\/hashing\.mjs$/ }, () => ({ path: 'hashing', namespace: 'inlined' }))
      onLoad({ filter: /^hashing$/, namespace: 'inlined' }, () => ({ contents: 'export const hashing = undefined' }))
    },
  }
  await build({
    entryPoints: [at(`tests/runtimes/${name}.mjs`)],
    bundle: true,
    format,
    platform: 'neutral',
    target: 'es2022',
    define: { 'import.meta.url': '"file:///shared/suite"' },
    external: ['countersign', 'countersign/*'],
    plugins: [inlined],
    outfile: join(folder, `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`),
    logLevel: 'warning',
  })
}

/** The result of the suite, in the last line that a program printed. */
export function resultIn(printed) {
  const line = printed.trimEnd().split('\n').at(-1)
  return JSON.parse(line)
}

/** Asserts that the suite has passed, and notes the row for the matrix. */
export function passed(result, row) {
  assert.deepEqual(result.failed, [])
  assert.ok(result.passed >= 10, `only ${result.passed} tests ran`)
  note({ ...row, tests: result.passed })
}

/** Asserts that of many requests at once, to a worker at this address, one logs in with a code, and none of them hangs. */
export async function oneGetsIn(address) {
  const ask = async (path) => (await fetch(`${address}/${path}`)).json()
  assert.equal(await ask('start'), 'started')
  for (const path of ['code', 'backup']) {
    const replies = await Promise.all(Array.from({ length: 10 }, () => ask(path)))
    assert.equal(replies.filter(({ result }) => result === 'verified').length, 1, JSON.stringify(replies))
  }
}

/** Asserts that no request to a worker at this address waits for another one, which may have ended in the middle. */
export async function eachRunsAlone(address) {
  const ask = async (path) => {
    const answer = await fetch(`${address}/${path}`, { signal: AbortSignal.timeout(30_000) })
    return answer.ok ? (await answer.json()).result : answer.status
  }
  assert.deepEqual(await Promise.all(Array.from({ length: 3 }, () => ask('other'))), Array(3).fill('enrolled'))
  for (const user of ['Other', 'Same']) {
    assert.equal(await ask(`leave${user}`), 'left')
    assert.equal(await ask(user.toLowerCase()), 'enrolled', `${user} user, after a request that ended in the middle`)
  }
}

/**
 * Notes a row of the matrix, which `scripts/runtimes.mjs` collects.
 * @param {{ in: string, version: string, how: string, tests?: number, note?: string }} row
 */
export function note(row) {
  mkdirSync(at(TARGET, 'rows'), { recursive: true })
  const name = `${row.in} ${row.how}`.replace(/[^\w.]+/g, '-')
  writeFileSync(at(TARGET, 'rows', `${name}.json`), JSON.stringify(row))
}

/** A program in one of the folders of `parent` whose names begin so: npm has installed the one for this machine. */
export function binary(folder, parent, start, path) {
  const modules = join(folder, 'node_modules', parent)
  const found = readdirSync(modules).filter((name) => name.startsWith(start) && existsSync(join(modules, name, path)))
  if (found.length === 0) throw new Problem(`there is no ${start} for this machine in ${modules}`)
  return join(modules, found.sort()[0], path)
}

/** The version of an installed package. */
export const versionOf = (folder, name) =>
  JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version

/** Opens the page at this address, and gives the result of its script: `drawn`, or the error. */
export async function drawnAt(browser, address) {
  const page = await browser.newPage()
  await page.goto(address)
  await page.waitForFunction(() => 'drawn' in globalThis)
  const drawn = await page.evaluate(() => globalThis.drawn)
  await page.close()
  return drawn
}

/**
 * Starts a server, and ends it with the test. Gives the first match of `ready` in its output.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd: string, ready: RegExp, env?: Record<string, string> }} options
 */
export async function serve(t, program, args, options) {
  const { cwd, ready, env = {} } = options
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  t.after(() => {
    // Its own children as well.
    if (child.exitCode === null) process.kill(-(child.pid ?? 0))
    return ended
  })
  let output = ''
  const match = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
        const found = ready.exec(output)
        if (found) resolve(found)
      })
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`${program} ended with ${code}:\n${output}`)))
  })
  return { match: await match, output: () => output }
}
