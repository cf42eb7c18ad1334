// Builds pkg/, the npm package: Rust → WebAssembly → one CommonJS bundle with thin entries, and the
// types. It does nothing while the inputs have not changed.
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { buildEnvoy, FILTER } from './build-envoy.mjs'
import { at, has, hashOf, main, Problem, readIf, remapPaths, run, seconds, withTools } from './common.mjs'
import { notices, packageNotices } from './notices.mjs'
import { setup, TO_BUILD } from './setup.mjs'

/** The modules, by crate feature, each with the folder of its glue: wasm-bindgen writes it, and js/ imports it. */
const GLUE = { npm: 'target/npm', browser: 'target/browser' }
const ENTRIES = ['index', 'operator', 'storage-api', 'testing', 'adapter'] // js/<entry>.ts, and the exports of package.json
const STORES = ['sqlite', 'postgres', 'mysql', 'redis', 'kysely', 'drizzle'].map((name) => `stores/${name}`) // only a host that imports one loads them
const ADAPTERS = [
  ...['better-auth', 'better-auth-client', 'express', 'fastify', 'hono', 'nestjs', 'next', 'oidc-provider', 'passport'],
].map((name) => `adapters/${name}`) // each in a file of its own, because each needs its framework alone
const EDGE_ADAPTERS = ['hono', 'next'].map((name) => `adapters/${name}`)
const EDGE = ['index', 'operator', 'testing', 'notices', 'adapter', ...STORES, ...EDGE_ADAPTERS] // the entries that edge workers load: the storage API answers Node's requests
const BY_REQUIRE = ['adapters/next'] // Node finds the modules of Next by `require` alone, and its bundlers by these names
const FRAMEWORKS = ['@nestjs/*', 'next/*', 'better-auth/*', '@better-auth/*', 'oidc-provider'] // what adapters import of a host's framework
const APART = ['notices'] // in a file of its own: only a host that imports it loads its texts
const KIT = 'testing/store' // the same; it runs in Node alone, and starts the program beside it
const INNER = 'exporting' // in the bundle, and in no entry: the command alone reaches it
const FOR_ADAPTERS = 'sealer' // the same, for the adapters that we ship
const COMMANDS = ['import/readers', 'cli/import', 'cli/export'] // loaded by the command alone, with the libraries that they need
const WASM_TYPES = 'generated' // pkg/types/generated.d.ts; no file in js/ may have this name

async function buildWasm(feature) {
  const target = 'wasm32-unknown-unknown'
  const options = { env: withTools(), hidden: true }
  const what = ['--release', '--lib', '--target', target, '--package', 'countersign', '--features', feature]
  await run('cargo', ['build', ...what, ...remapPaths(target)], options)
  const built = at('target', target, 'release/countersign.wasm')
  await run('bindgen', [built, GLUE[feature], 'countersign'], options)
  const module = at(GLUE[feature], 'countersign_bg.wasm')
  // A second run finds 2 % more; a third one nothing.
  const smaller = ['-Oz', '-Oz', '--strip-producers', '--strip-target-features']
  await run('wasm-opt', [...smaller, module, '-o', module], options)
  // Types of the raw memory, which nobody imports and TypeScript would find in place of the bytes.
  rmSync(at(GLUE[feature], 'countersign_bg.wasm.d.ts'), { force: true })
}

/** The engine inlined in a script, so that a host's bundler needs no second file. Packed by brotli it is a third of its size. */
const packedEngine = {
  name: 'packed engine',
  setup: ({ onLoad }) =>
    onLoad({ filter: /countersign_bg\.wasm$/ }, ({ path }) => ({
      contents: brotliCompressSync(readFileSync(path)),
      loader: 'binary',
    })),
}

/** The engine as a file, which the bundler of an edge worker compiles. */
const engineAsFile = {
  name: 'engine as file',
  setup: ({ onResolve }) => {
    onResolve({ filter: /countersign_bg\.wasm\?module$/ }, () => ({ path: '../engine.wasm?module', external: true }))
    onResolve({ filter: /^\.\/platform\.js$/ }, () => ({ path: at('js/platform-edge.ts') }))
  },
}

/**
 * The glue of wasm-bindgen without its question whether it got a module: our layer hands it a compiled one. It knows a module by
 * `instanceof`, though edge workers run in a realm of their own.
 */
const ownLoader = {
  name: 'own loader',
  setup: ({ onLoad }) =>
    onLoad({ filter: /target[\\/](npm|browser)[\\/]countersign\.js$/ }, ({ path }) => {
      const question = 'if (!(module instanceof WebAssembly.Module))'
      const glue = readFileSync(path, 'utf8')
      if (!glue.includes(question))
        throw new Problem('The glue of wasm-bindgen loads the module in another way than it used to.')
      const contents = glue.replace(question, 'if (false)')
      return { contents, loader: 'js' }
    }),
}

/** @type {import('esbuild').BuildOptions} */
const BUNDLE = {
  bundle: true,
  charset: 'utf8',
  absWorkingDir: at('.'),
  logLevel: 'warning',
  logOverride: { 'empty-import-meta': 'error' },
}

async function bundle() {
  const esbuild = await import('esbuild')
  const load = createRequire(import.meta.url)
  /** @type {import('esbuild').BuildOptions} */
  const options = { ...BUNDLE, platform: 'node', target: 'node20', format: 'cjs' }

  /** Several entries in one file, so that import and require, and all of them, share one instance. */
  async function together(file, entries, plugins, more = []) {
    await esbuild.build({
      ...options,
      stdin: {
        resolveDir: at('.'),
        contents: [...entries, ...more].map((name) => `export * as '${name}' from './js/${name}.ts'`).join('\n'),
      },
      outfile: at(`pkg/${file}`),
      inject: [at('js/text-coding.ts')],
      external: ['./countersign.cjs'],
      plugins,
    })
    const built = load(at(`pkg/${file}`))
    for (const entry of entries) {
      const names = namesOf(entry, built[entry])
      const from = entry.includes('/') ? `../${file}` : `./${file}`
      mkdirSync(dirname(at(`pkg/${entry}`)), { recursive: true })
      writeFileSync(
        at(`pkg/${entry}.cjs`),
        [
          `'use strict'`,
          `const entry = require('${from}')['${entry}']`,
          // One line for each name, in the form in which Node finds the names of a CommonJS module.
          ...names.map((name) => `exports.${name} = entry.${name}`),
          '',
        ].join('\n'),
      )
      writeModule(entry, names, `import bundle from '${from}'`, `bundle['${entry}']`)
    }
  }

  await together('countersign.cjs', ENTRIES, [packedEngine, ownLoader], ['error', INNER, FOR_ADAPTERS])
  // There is one class of errors, that of the first bundle.
  const errors = {
    name: 'errors of the bundle',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^\.{1,2}\/error\.js$/ }, () => ({ path: 'error', namespace: 'bundle' }))
      onLoad({ filter: /./, namespace: 'bundle' }, () => ({
        contents: `module.exports = require('./countersign.cjs').error`,
      }))
    },
  }
  await together('stores.cjs', STORES, [errors])
  for (const entry of APART) {
    const files = {
      entryPoints: [at(`js/${entry}.ts`)],
      outfile: at(`pkg/${entry}.cjs`),
      inject: [at('js/text-coding.ts')],
      external: ['./countersign.cjs'],
    }
    await esbuild.build({ ...options, ...files, plugins: [errors] })
    writeModule(entry, namesOf(entry, load(at(`pkg/${entry}.cjs`))), `import entry from './${entry}.cjs'`, 'entry')
  }
  await bundleAdapters(options, load(at('pkg/countersign.cjs')))
  // The commands and the kit import the bundle of the package, which lies in the folder `to`, instead of carrying a second copy.
  const shared = (to) => ({
    name: 'shared',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^\.[./]*\/(index|operator|testing)\.js$/ }, ({ path }) => ({
        path: `${to}/${posix.basename(path, '.js')}.cjs`,
        external: true,
      }))
      onResolve({ filter: new RegExp(`/${INNER}\\.js$`) }, () => ({ path: INNER, namespace: 'inner' }))
      onLoad({ filter: /./, namespace: 'inner' }, () => ({
        contents: `import bundle from '${to}/countersign.cjs'\nexport const { exportedUsers } = bundle.${INNER}`,
      }))
      onResolve({ filter: /\/countersign\.cjs$/ }, ({ path }) => ({ path, external: true }))
      onResolve({ filter: /^\.\/cli\/(import|export)\.js$/ }, ({ path }) => ({
        path: path.replace(/\.js$/, '.mjs'),
        external: true,
      }))
    },
  })
  await esbuild.build({
    ...options,
    entryPoints: [KIT, `${KIT}-process`].map((name) => at(`js/${name}.ts`)),
    outdir: at('pkg/testing'),
    outExtension: { '.js': '.cjs' },
    plugins: [shared('..')],
  })
  writeModule(
    KIT,
    namesOf(KIT, load(at(`pkg/${KIT}.cjs`))),
    `import entry from './${posix.basename(KIT)}.cjs'`,
    'entry',
  )
  if (has('js/cli.ts')) {
    await esbuild.build({
      ...options,
      entryPoints: [at('js/cli.ts')],
      outfile: at('pkg/cli.cjs'),
      plugins: [shared('.')],
    })
    const cli = readFileSync(at('pkg/cli.cjs'), 'utf8')
    writeFileSync(at('pkg/cli.cjs'), cli.startsWith('#!') ? cli : `#!/usr/bin/env node\n${cli}`)
    chmodSync(at('pkg/cli.cjs'), 0o755)
  }
  return bundleCommands(shared('..'))
}

/**
 * The commands that need libraries, in pkg/cli: neither a host's login nor another command loads them. Each library is a file of its
 * own, which is loaded where it is used. Gives the parts of the bundle.
 */
async function bundleCommands(shared) {
  const esbuild = await import('esbuild')
  const { metafile } = await esbuild.build({
    ...BUNDLE,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['module'],
    target: 'node20',
    format: 'esm',
    splitting: true,
    minify: true,
    legalComments: 'none', // in THIRD-PARTY.txt
    entryPoints: COMMANDS.map((entry) => ({ in: at(`js/${entry}.ts`), out: posix.basename(entry) })),
    outdir: at('pkg/cli'),
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    external: ['node:*'],
    metafile: true,
    plugins: [shared],
  })
  return metafile
}

/** The adapters, which use the core of the first bundle by its public names. Their frameworks are the host's. */
async function bundleAdapters(options, bundle) {
  const esbuild = await import('esbuild')
  for (const format of /** @type {const} */ (['cjs', 'esm'])) {
    const core = {
      name: 'core of the adapters',
      setup: ({ onResolve, onLoad }) => {
        // From the folder of an adapter too: a copy of the core would know no error of the bundle.
        onResolve({ filter: /^(\.\.\/)+(adapter|index|sealer)\.js$/ }, ({ path }) => ({
          path: posix.basename(path, '.js'),
          namespace: 'bundle',
        }))
        onLoad({ filter: /./, namespace: 'bundle' }, ({ path }) => ({
          contents:
            format === 'cjs'
              ? `module.exports = require('../countersign.cjs').${path}`
              : `import bundle from '../countersign.cjs'\nexport const { ${Object.keys(bundle[path]).join(', ')} } = bundle.${path}`,
        }))
      },
    }
    const { metafile } = await esbuild.build({
      ...options,
      format,
      metafile: true,
      entryPoints: ADAPTERS.map((entry) => at(`js/${entry}.ts`)),
      outdir: at('pkg/adapters'),
      outExtension: { '.js': format === 'cjs' ? '.cjs' : '.mjs' },
      external: ['../countersign.cjs', ...FRAMEWORKS],
      plugins: [core],
    })
    if (format === 'cjs') continue
    for (const { entryPoint, exports } of Object.values(metafile.outputs)) {
      const entry = BY_REQUIRE.find((name) => entryPoint === `js/${name}.ts`)
      if (entry) writeModule(entry, exports, `import entry from './${posix.basename(entry)}.cjs'`, 'entry')
    }
  }
}

function namesOf(entry, exported) {
  const names = Object.keys(exported)
  if (names.length === 0) throw new Problem(`js/${entry}.ts exports nothing.`)
  return names
}

/** The entry as an ES module, which takes its names from the CommonJS file. */
function writeModule(entry, names, load, from) {
  writeFileSync(at(`pkg/${entry}.mjs`), [load, `export const { ${names.join(', ')} } = ${from}`, ''].join('\n'))
}

/** The same entries for edge workers, as modules that share the parts of both, beside the engine as a file. */
async function bundleForEdge() {
  const esbuild = await import('esbuild')
  await esbuild.build({
    ...BUNDLE,
    platform: 'neutral',
    target: 'es2022',
    format: 'esm',
    splitting: true,
    entryPoints: EDGE.map((entry) => at(`js/${entry}.ts`)),
    outdir: at('pkg/edge'),
    outExtension: { '.js': '.mjs' },
    external: FRAMEWORKS,
    chunkNames: 'shared-[hash]',
    plugins: [engineAsFile, ownLoader],
  })
  // A part that an entry names for its place in the order alone does nothing when it is loaded. A host's bundler would warn of each.
  for (const entry of EDGE) {
    const file = at(`pkg/edge/${entry}.mjs`)
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^import "[^"]+";\n/gm, ''))
  }
  copyFileSync(at(GLUE.npm, 'countersign_bg.wasm'), at('pkg/engine.wasm'))
}

/** One file for browsers, which fetches the module beside it at first use. Neither the engine nor Node's layer is in them. */
async function bundleForBrowsers() {
  const esbuild = await import('esbuild')
  /** @type {import('esbuild').BuildOptions} */
  const options = { ...BUNDLE, target: 'es2022', entryPoints: [at('js/browser.ts')] }
  const script = at('pkg/browser.mjs')
  await esbuild.build({ ...options, format: 'esm', outfile: script, platform: 'browser', plugins: [ownLoader] })
  // The same for tests of pages, which Node runs: it reads the module beside it.
  const readsFile = {
    name: 'reads file',
    setup: ({ onResolve }) =>
      onResolve({ filter: /^\.\/module-file\.js$/ }, () => ({ path: at('js/module-file-node.ts') })),
  }
  const outfile = at('pkg/browser-in-node.cjs')
  const inject = [at('js/text-coding.ts')]
  await esbuild.build({
    ...options,
    format: 'cjs',
    outfile,
    platform: 'neutral',
    inject,
    plugins: [ownLoader, readsFile],
  })
  const names = namesOf('browser', createRequire(import.meta.url)(outfile))
  writeModule('browser-in-node', names, `import entry from './browser-in-node.cjs'`, 'entry')
  copyFileSync(at(GLUE.browser, 'countersign_bg.wasm'), at('pkg/countersign.wasm'))
}

async function declare() {
  const types = at('pkg/types')
  mkdirSync(types, { recursive: true })
  await run(process.execPath, [
    at('node_modules/typescript/bin/tsc'),
    '-p',
    at('tsconfig.json'),
    '--noEmit',
    'false',
    '--declaration',
    '--emitDeclarationOnly',
    '--outDir',
    types,
  ])
  for (const program of ['cli', INNER, 'cli/', 'import/', `${KIT}-process`])
    rmSync(join(types, program.endsWith('/') ? program : `${program}.d.ts`), { recursive: true, force: true })
  // The types for loading and freeing the module are left out: users do not call these functions, and
  // their types need the newest DOM and language.
  const [wasm] = readFileSync(at(GLUE.npm, 'countersign.d.ts'), 'utf8').split(/^export type InitInput/m)
  writeFileSync(
    join(types, `${WASM_TYPES}.d.ts`),
    wasm.replace(/^ *\[Symbol\.dispose\].*\n|^\/\* [\w:-]+ \*\/\n/gm, ''),
  )
  for (const name of readdirSync(types, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.d.ts'),
  )) {
    const file = join(types, name)
    const toWasm = `./${posix.relative(dirname(name), WASM_TYPES)}.js`.replace('./../', '../')
    const esm = readFileSync(file, 'utf8').replace(/(['"])(?:\.\.\/)+target\/npm\/countersign\.js\1/g, `$1${toWasm}$1`)
    writeFileSync(file, esm)
    // The same for require(): TypeScript wants a `.d.cts` file, which imports other `.d.cts` files.
    writeFileSync(
      file.replace(/\.ts$/, '.cts'),
      esm.replace(/((?:from|import\()\s*['"]\.{1,2}\/[^'"]+)\.js(['"])/g, '$1.cjs$2'),
    )
  }
}

/** Builds both. `numbered` adds the number that the list of steps gave to a title. */
export async function build(numbered = (title) => title) {
  await buildPackage(numbered)
  await buildEnvoy(numbered)
}

/** Hashes of the sources of the module and of pkg/. The file `.built` in each product holds the hash of its last build. */
function inputsOfPackage() {
  const sources = ['Cargo.toml', 'Cargo.lock', '.cargo', 'rust-toolchain.toml', 'src', 'scripts/bindgen']
  const rust = hashOf(sources, buildWasm.toString(), process.env.RUSTFLAGS)
  const scripts = ['build', 'common', 'notices'].map((name) => `scripts/${name}.mjs`)
  return { rust, inputs: hashOf(['js', ...scripts, 'tsconfig.json', 'package.json', 'package-lock.json'], rust) }
}

/** Whether pkg/ is missing or older than its sources. */
export const packageIsStale = () => readIf('pkg/.built') !== inputsOfPackage().inputs

/** The npm package as a step of a list. */
export const PACKAGE = {
  title: 'Build of pkg/',
  why: 'the npm package',
  takes: 'up to 5 minutes, seconds where no Rust has changed',
  stale: packageIsStale,
  work: buildPackage,
}

/** Both builds, for the list of steps. */
export const BOTH = [PACKAGE, FILTER]

export async function buildPackage(numbered = (title) => title) {
  const start = performance.now()
  const { rust, inputs } = inputsOfPackage()
  const stale = Object.keys(GLUE).filter((feature) => readIf(GLUE[feature], '.built') !== rust)
  const fresh = readIf('pkg/.built') === inputs && stale.length === 0
  if (fresh) return console.log(`${PACKAGE.title}: up to date (${seconds(start)})`)
  const title = numbered(PACKAGE.title)
  console.log(`${title} …`)
  for (const feature of stale) {
    await buildWasm(feature)
    writeFileSync(at(GLUE[feature], '.built'), rust)
  }
  rmSync(at('pkg'), { recursive: true, force: true })
  mkdirSync(at('pkg'))
  await declare() // first, because the compiler finds mistakes
  const packages = await bundle()
  await bundleForEdge()
  await bundleForBrowsers()
  writeFileSync(at('pkg/THIRD-PARTY.txt'), `${notices('npm', 'wasm32-unknown-unknown')}\n${packageNotices(packages)}`)
  writeFileSync(at('pkg/.built'), inputs)
  const kb = (bytes) => `${Math.round(bytes / 1000)} kB`
  const both = (bytes) => `${kb(bytes.length)}, gzipped ${kb(gzipSync(bytes, { level: 9 }).length)}`
  console.log(
    `${title}: done (${seconds(start)}); WebAssembly ${both(readFileSync(at(GLUE.npm, 'countersign_bg.wasm')))}; for browsers: ${both(readFileSync(at('pkg/countersign.wasm')))}, browser.mjs ${both(readFileSync(at('pkg/browser.mjs')))}`,
  )
}

await main(import.meta.url, async () => {
  await build(await setup(TO_BUILD, { builds: BOTH }))
})
