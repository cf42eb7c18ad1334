// The package as users get it: one instance for import and require, an exports map, types.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import * as imported from 'countersign'
import * as importedBrowser from 'countersign/browser'
import * as importedNotices from 'countersign/notices'
import * as importedStorageApi from 'countersign/storage-api'
import * as importedTesting from 'countersign/testing'
import * as importedStoreKit from 'countersign/testing/store'
import { engine, inlinedEngine } from '../shared/engine.mjs'
import { complaintsAbout } from './consumer.mjs'
import { rules } from './support.mjs'

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('../../', import.meta.url))

test('import and require give one instance', async () => {
  const required = require('countersign')
  assert.deepEqual(Object.keys(required).sort(), Object.keys(imported).sort())
  for (const [name, value] of Object.entries(imported)) assert.equal(required[name], value, name)
  for (const [name, value] of Object.entries(require('countersign/testing')))
    assert.equal(importedTesting[name], value, name)
  for (const [name, value] of Object.entries(require('countersign/testing/store')))
    assert.equal(importedStoreKit[name], value, name)
  for (const [name, value] of Object.entries(require('countersign/storage-api')))
    assert.equal(importedStorageApi[name], value, name)
  for (const [name, value] of Object.entries(require('countersign/notices')))
    assert.equal(importedNotices[name], value, name)
  assert.throws(() => importedStorageApi.storageApi({}), required.CountersignError)
  assert.throws(() => required.policy.parse('{}'), imported.CountersignError)
  assert.throws(() => imported.policy.parse('{}'), required.CountersignError)
  const factor = required.createSecondFactor({
    policy: rules({ methods: ['totp'] }),
    keys: imported.generateKeys(),
    store: imported.memoryStore(),
  })
  await assert.rejects(factor.begin({}), imported.CountersignError)
})

test('each entry exports exactly these names', () => {
  assert.deepEqual(Object.keys(imported).sort(), [
    'CountersignError',
    'SmsNeverLeft',
    'backupCodes',
    'createSecondFactor',
    'generateKeys',
    'memoryStore',
    'newVersion',
    'otpauth',
    'policy',
    'qr',
    'recordKey',
    'totp',
  ])
  assert.deepEqual(Object.keys(importedStorageApi), ['CountersignError', 'storageApi'])
  assert.deepEqual(Object.keys(importedNotices), ['CountersignError', 'noticeText'])
  assert.deepEqual(Object.keys(importedBrowser).sort(), [
    'CountersignError',
    'defineSecondFactorQr',
    'load',
    'previewEnrollment',
  ])
  assert.deepEqual(Object.keys(importedTesting).sort(), ['capturedSms', 'fixedClock', 'fixedEntropy', 'wasmMemory'])
  assert.deepEqual(Object.keys(importedStoreKit).sort(), ['StoreDefect', 'proveStore'])
  for (const inner of ['countersign/pkg/countersign.cjs', 'countersign/js/index.ts', 'countersign/pkg/index.mjs']) {
    assert.throws(() => require(inner), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
  }
  assert.equal(require('countersign/package.json').name, 'countersign')
  for (const name of ['totp', 'otpauth', 'qr', 'backupCodes', 'policy'])
    assert.ok(Object.isFrozen(imported[name]), name)
})

test('the module for browsers lies beside its script, and the engine is in the package twice', () => {
  const script = join(root, require('countersign/package.json').exports['./browser'].default.default)
  const wasm = fileURLToPath(import.meta.resolve('countersign/countersign.wasm'))
  assert.equal(wasm, join(script, '..', 'countersign.wasm'))
  const names = (bytes) => WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name)
  const own = names(readFileSync(wasm)).filter((name) => !name.startsWith('__'))
  assert.deepEqual(own.sort(), ['memory', 'otpauth_format', 'otpauth_parse', 'qr'], 'no function of the engine')
  assert.ok(names(engine).some((name) => name.startsWith('core_')))
  const modules = readdirSync(join(root, 'pkg'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.wasm'),
  )
  assert.deepEqual(modules.sort(), ['countersign.wasm', 'engine.wasm'])
  assert.ok(inlinedEngine.equals(engine), 'the same in the bundle for Node and for edge workers')
})

const browserConsumer = `
import { load, previewEnrollment, defineSecondFactorQr, CountersignError, type Preview, type PreviewSource, type WasmSource } from 'countersign/browser'
const source: PreviewSource = { issuer: 'Acme', label: 'ann' }
const from: WasmSource = new URL('https://a.example/x.wasm')
export async function main(): Promise<string> {
  await load({ wasm: from })
  await load({ wasm: fetch('/x.wasm') })
  const preview: Preview = await previewEnrollment(source)
  defineSecondFactorQr('acme-qr')
  try { await previewEnrollment({ uri: preview.uri }) } catch (error) { if (error instanceof CountersignError) return error.code }
  return preview.sample ? preview.svg : preview.secret + preview.issuer + preview.label
}
// @ts-expect-error a secret never comes from the page
export const own: PreviewSource = { issuer: 'Acme', label: 'ann', secret: 'x' }
`

test('no error of a module that is not found shows a token or a password of its address', async () => {
  const { load } = await import('countersign/browser')
  const refusal = async (wasm) => load({ wasm }).then(assert.fail, (error) => error)
  const notFound = await refusal('http://127.0.0.1:1/countersign.wasm?token=secret-word#secret-word')
  assert.equal(notFound.code, 'not_loaded')
  assert.match(notFound.message, /is not at http:\/\/127\.0\.0\.1:1\/countersign\.wasm:/)
  assert.doesNotMatch(inspect(notFound), /secret-word/)
  const data = await refusal('data:application/wasm;base64,c2VjcmV0LXdvcmQ')
  assert.doesNotMatch(data.message, /c2VjcmV0/)
  for (const form of [
    'https://u:secret-word@h/x',
    'https://u:secret/word@h/x',
    'https:u:secret-word@h/x',
    'https:\\\\u:secret-word@h/x',
    'u:secret-word@h',
  ]) {
    const error = await refusal(form)
    assert.ok(['invalid_input', 'not_loaded'].includes(error.code), form)
    assert.doesNotMatch(inspect(error), /secret/, form)
  }
})

test('another module than that for browsers is `not_loaded`, and the next try loads the right one', async () => {
  const file = require.resolve('countersign/browser')
  delete require.cache[file]
  const { load, previewEnrollment } = require(file)
  const empty = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
  // One memory and one global, by the names that ours have as well.
  const memory = [5, 3, 1, 0, 1, 6, 6, 1, 127, 1, 65, 0, 11]
  const names = ['memory', '__stack_pointer'].map((name) => [name.length, ...Buffer.from(name)])
  const exported = [2, ...names[0], 2, 0, ...names[1], 3, 0]
  const bytes = [0, 97, 115, 109, 1, 0, 0, 0, ...memory, 7, exported.length, ...exported]
  const foreign = new WebAssembly.Module(Uint8Array.from(bytes))
  for (const wasm of [empty, foreign, { [Symbol.toStringTag]: 'WebAssembly.Module' }])
    await assert.rejects(load({ wasm }), { code: 'not_loaded' })
  await load()
  assert.equal((await previewEnrollment({ issuer: 'Acme', label: 'ann' })).sample, true)
})

test('a random source that is missing, or gives zeros, makes no secret', () => {
  const source = Object.getOwnPropertyDescriptor(globalThis, 'crypto')
  try {
    for (const value of [
      undefined,
      { getRandomValues: (bytes) => bytes },
      { getRandomValues: (bytes) => bytes.fill(7) },
    ]) {
      Object.defineProperty(globalThis, 'crypto', { ...source, get: () => value })
      for (const make of [imported.generateKeys, imported.totp.secret])
        assert.throws(make, { code: 'no_entropy', status: 500 })
    }
  } finally {
    Object.defineProperty(globalThis, 'crypto', source)
  }
})

test('the types for browsers hold for a strict consumer', () => {
  const lib = ['es2022', 'dom']
  assert.equal(complaintsAbout({ 'consumer.mts': browserConsumer }, { lib }), '')
  const mistaken = `${browserConsumer}\nexport const wrong: number = await main()\n`
  assert.match(complaintsAbout({ 'consumer.mts': mistaken }, { lib }), /TS2322/, 'the compiler finds a mistake')
})

test('old resolution finds the types: `typesVersions` has each entry', () => {
  const { exports, typesVersions } = /** @type {Record<string, any>} */ (require('countersign/package.json'))
  const entries = Object.keys(exports).filter((name) => name !== '.' && !/\.(json|wasm)$/.test(name))
  const old = Object.entries(typesVersions['*']).map(([name, [file]]) => [`./${name}`, file])
  assert.deepEqual(old.sort(), entries.map((name) => [name, exports[name].require.types]).sort())
})

test('the package has no dependencies and no install scripts', () => {
  const manifest = /** @type {Record<string, any>} */ (require('countersign/package.json'))
  const { dependencies, peerDependencies = {}, peerDependenciesMeta = {}, optionalDependencies, scripts } = manifest
  assert.deepEqual([dependencies, optionalDependencies], [undefined, undefined])
  for (const framework of Object.keys(peerDependencies))
    assert.deepEqual(peerDependenciesMeta[framework], { optional: true }, framework)
  for (const script of ['install', 'preinstall', 'postinstall', 'prepare']) assert.equal(scripts[script], undefined)
})

test('an error has a code and a path', () => {
  const made = new imported.CountersignError('invalid_input', 'user', 'must be a string')
  assert.ok(made instanceof Error)
  const error = /** @type {any} */ (made)
  assert.deepEqual(
    [error.name, error.code, error.path, error.message],
    ['CountersignError', 'invalid_input', 'user', '`user`: must be a string'],
  )
})

test('the command prints a key ring, and its public keys as a JWK set', () => {
  const cli = join(root, require('countersign/package.json').bin.countersign)
  const keys = JSON.parse(execFileSync(process.execPath, [cli, 'keys'], { encoding: 'utf8' }))
  assert.deepEqual(Object.keys(keys), ['v', 'sealing', 'signing'])
  const jwks = (input) => execFileSync(process.execPath, [cli, 'jwks'], { input, encoding: 'utf8', stdio: 'pipe' })
  const printed = JSON.parse(jwks(JSON.stringify(keys)))
  const [{ x }] = printed.keys
  assert.match(x, /^[\w-]{43}$/)
  assert.deepEqual(printed, {
    keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: keys.signing[0].kid, x }],
  })
  assert.notEqual(x, keys.signing[0].secret)
  const old = { kid: 'old', alg: 'HS256', secret: 'A'.repeat(43) }
  assert.equal(JSON.parse(jwks(JSON.stringify({ ...keys, signing: [...keys.signing, old] }))).keys.length, 1)
  assert.throws(
    () => jwks(JSON.stringify({ ...keys, signing: [old, ...keys.signing] })),
    { status: 1 },
    'the key that signs has none',
  )
  const hs256 = { ...keys, signing: [{ kid: 'hs', alg: 'HS256', secret: 'A'.repeat(43) }] }
  for (const bad of ['', '{', JSON.stringify(hs256)]) assert.throws(() => jwks(bad), { status: 1 })
  assert.throws(() => execFileSync(process.execPath, [cli], { stdio: 'pipe' }), { status: 2 })
  for (const args of [
    ['--help'],
    ['-h'],
    ['keys', '--help'],
    ['recovery', '--help'],
    ['recovery', 'issue', '--help'],
  ]) {
    assert.match(execFileSync(process.execPath, [cli, ...args], { encoding: 'utf8' }), /^usage: countersign keys/)
  }
  const told = spawnSync(process.execPath, [cli, 'kyes'], { encoding: 'utf8' })
  assert.deepEqual([told.status, told.stdout, told.stderr.split('\n')[0]], [2, '', '`kyes` is not known'])
})

const consumer = `
import { createSecondFactor, memoryStore, generateKeys, totp, otpauth, qr, policy, backupCodes, CountersignError } from 'countersign'
import { sqliteStore } from 'countersign/stores/sqlite'
import type { Policy, Keys, Store, SecondFactor, Reply, ErrorCode, Notice, Event, SmsMessage, Decision } from 'countersign'
import type { BeginInput, BeginReply, CheckInput, CheckReply, TotpPolicy, VerifyInput, VerifyReply } from 'countersign'
import { storageApi } from 'countersign/storage-api'
import type { Revoked, RevokedQuestion, StorageApiOptions, ApiRequest, ApiResponse } from 'countersign/storage-api'
import { fixedClock, capturedSms } from 'countersign/testing'
import { proveStore, type OpenInstance, type OpenStore, type ProveStoreOptions, type StoreDefect, type StoreDefectName } from 'countersign/testing/store'
import { createOperator, type Operator } from 'countersign/operator'
import type { PolicyChangedInput, SecondFactorOptions } from 'countersign'
import { noticeText } from 'countersign/notices'
import type { NoticeText, NoticeTextId, NoticeTextOptions } from 'countersign/notices'

export const operatorOf = (options: SecondFactorOptions): Operator => createOperator(options)
export const change = (policy: Policy): PolicyChangedInput => ({ account: 'acme', by: 'ann', before: policy, after: policy })

const rules: Policy = { v: 1, name: 'Acme', origin: 'https://login.acme.example', methods: ['totp', 'sms'], totp: { digits: 8 } }
const keys: Keys = generateKeys()
const store: Store = memoryStore()
declare const test: (name: string, run?: (context: unknown, done: () => void) => void | Promise<void>) => Promise<void>
const opened: OpenStore = { store, close: async () => 1 }
const opening: OpenInstance = () => opened
export const proof: ProveStoreOptions = { test, open: opening, module: 'store.mjs' }
proveStore({ test, open: async () => opened, module: false })
export const nameOf = (defect: StoreDefect): StoreDefectName => defect.defect
const sms = capturedSms()

export async function main(ip: string | undefined): Promise<string> {
  const factor: SecondFactor = createSecondFactor({
    policy: async ({ account, user }) => (account === 'x' ? rules : user === 'y' ? [rules, rules] : JSON.stringify(rules)),
    keys, store, sendSms: sms.send, clock: fixedClock(),
    notify: (notice: Notice) => notice.kind satisfies string,
    onEvent: (event: Event) => (event.event === 'code_refused' ? event.failures : event.user),
    revoked: async (about?: RevokedQuestion): Promise<Revoked> => ({ sessions: about ? [about.session] : [] }),
  })
  const question: BeginInput = { user: 'ann', session: 's', ip, account: undefined, channel: undefined, plan: undefined }
  const login: BeginReply = await factor.begin(question)
  if (login.result === 'denied') return login.reason
  if (login.result === 'allowed') return String(login.enroll)
  const code: VerifyInput = { ticket: login.ticket, session: 's', newSession: undefined, method: 'totp', code: '123456', ip }
  const step: VerifyReply = await factor.verify(code)
  switch (step.result) {
    case 'verified': return step.pass + step.session
    case 'wrong': return String(step.attemptsLeft)
    case 'malformed': return step.expected
    case 'already_used': return String(step.retryAt ?? 'another')
    case 'locked': return String(step.retryAt ?? 'stopped')
    case 'expired': return 'expired'
    case 'denied': return step.reason
    default: return step satisfies never
  }
}

export async function guard(factor: SecondFactor, pass: string | undefined): Promise<string> {
  const question: CheckInput = { user: 'ann', session: 's', pass, channel: 'api', maxAge: undefined, methods: ['totp'], fresh: undefined }
  const reply: CheckReply = await factor.check(question)
  switch (reply.result) {
    case 'in': return reply.method ?? 'no factor needed'
    case 'second_step': {
      const { reason } = reply
      switch (reason) {
        case 'no_pass': case 'invalid': case 'expired': case 'other_account': case 'other_user': case 'other_session': case 'too_old':
        case 'method_not_accepted': case 'revoked': return reason
        default: return reason satisfies never
      }
    }
    case 'denied': return reply.reason
    default: return reply satisfies never
  }
}

const app: TotpPolicy = { digits: undefined, window: 2 }
export const sparse: Policy = { ...rules, totp: app, plans: undefined, network: { allow: undefined }, require: undefined }
// A synchronous call gives no promise.
export const published: number = createSecondFactor({ policy: rules, keys, store, clock: undefined }).jwks().keys.length

export function parts(): string {
  const checked = totp.verify({ secret: totp.secret(), code: '123456', time: 0 })
  const step: number = checked.valid ? checked.step : 0
  const decision: Decision = policy.decide(rules, { enrollment: 'none' }).decision
  const used = backupCodes.verify({ keys, user: 'ann', stored: '', code: '', time: 0 })
  const uri = otpauth.format({ issuer: 'a', label: 'b', secret: totp.secret() })
  try {
    return qr.svg(uri) + step + decision.outcome + (used.valid ? used.stored : '')
  } catch (error) {
    if (error instanceof CountersignError) { const code: ErrorCode = error.code; return code }
    throw error
  }
}

const title: NoticeTextId = 'locked.user.title'
const mail: NoticeTextOptions = { language: 'de', service: 'Acme', userName: undefined, timeZone: undefined, texts: { [title]: 'x' } }
export const mailOf = (notice: Notice): NoticeText => noticeText(notice, mail)
// @ts-expect-error there is no such text
export const lost: NoticeTextId = 'locked.owners.title'
// @ts-expect-error there is no such language yet
export const french: NoticeTextOptions = { language: 'fr', service: 'Acme' }

const options: StorageApiOptions = {
  store, token: '', notify: (notice: Notice) => notice.user, onEvent: (event: Event) => event.at,
  revoked: async (): Promise<Revoked> => ({ sessions: ['s'], users: { ann: 1 } }),
}
export const handler: (request: ApiRequest, response: ApiResponse, next: () => void) => Promise<void> = storageApi(options)

// @ts-expect-error a token is needed
export const open: StorageApiOptions = { store }
// @ts-expect-error a misspelt rule
export const misspelt: Policy = { v: 1, name: 'Acme', origin: 'https://a.example', require: 'everybody' }
// @ts-expect-error a ticket names the user
export const twice: VerifyInput = { user: 'ann', ticket: '', session: '', method: 'totp', code: '' }
// @ts-expect-error the user is needed
export const nobody: BeginInput = { session: 's' }
// @ts-expect-error a misspelt restriction
export const question: CheckInput = { user: 'ann', session: 's', maxage: 60 }
// @ts-expect-error there is no such method
export const method: Parameters<SecondFactor['verify']>[0]['method'] = 'email'
// @ts-expect-error a code is text
export const input: Parameters<typeof totp.verify>[0] = { secret: '', code: 123456, time: 0 }
// @ts-expect-error a store saves
export const half: Store = { load: async () => undefined }
export type Unused = [Reply, SmsMessage, typeof sqliteStore]
`

test('every type that a signature shows can be imported, and none is `any`', () => {
  const types = join(root, 'pkg', 'types')
  const entries = ['index', 'storage-api', 'notices', 'testing', 'testing/store', 'browser']
  const fileOf = (from, path) => join(from, '..', path.replace(/\.js$/, '.d.ts'))
  const exported = (file) => {
    const text = readFileSync(file, 'utf8')
    const names = [...text.matchAll(/^export (?:declare )?(?:const|function|class|interface|type) (\w+)/gm)].map(
      ([, name]) => name,
    )
    for (const [, list] of text.matchAll(/^export (?:type )?\{([^}]*)\}/gm))
      names.push(...list.split(',').map((name) => name.trim().replace(/^type /, '')))
    for (const [, path] of text.matchAll(/^export (?:type )?\* from '([^']+)'/gm))
      names.push(...exported(fileOf(file, path)))
    return names.filter((name) => name !== '')
  }
  const importable = new Set(entries.flatMap((entry) => exported(join(types, `${entry}.d.ts`))))
  // The fields of a command have a name with the caller's: `BeginInput` is `Caller` and `Accepts<Begin>`.
  const inputs = readFileSync(join(types, 'commands.d.ts'), 'utf8')
  const shown = exported(join(types, 'generated.d.ts')).filter((name) => !inputs.includes(`Accepts<wasm.${name}>`))
  const hidden = shown.filter(
    (name) =>
      !importable.has(name) &&
      !/^[a-z]|^(Core|HashWords|PendingStep|PolicyCompilation|PolicyReview|CompiledPolicy|Error)$/.test(name),
  )
  assert.deepEqual(hidden, [])
  assert.ok(shown.length > 40 && importable.size > 80, `${shown.length} of ${importable.size}`)
  for (const entry of [
    ...entries,
    'commands',
    'second-factor',
    'create-second-factor',
    'tools',
    'store',
    'stores/drizzle',
    'stores/kysely',
    'stores/sqlite',
  ]) {
    const text = readFileSync(join(types, `${entry}.d.ts`), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    assert.doesNotMatch(text, /\bany\b/, entry)
  }
})

test('the types hold for a strict consumer, as a module and as a script', () => {
  const options = { lib: ['es2022'] }
  assert.equal(complaintsAbout({ 'consumer.mts': consumer, 'consumer.cts': consumer }, options), '')
  const mistaken = `${consumer}\nexport const wrong: number = totp.secret()\n`
  const complaints = complaintsAbout({ 'consumer.mts': consumer, 'consumer.cts': mistaken }, options)
  assert.match(complaints, /consumer\.cts.*TS2322/, 'the compiler finds a mistake')
})

test('the texts of notices are loaded only by a host that imports them, and throw the errors of the package', () => {
  const textOf = (file) => readFileSync(join(root, 'pkg', file), 'utf8')
  assert.ok(textOf('notices.cjs').includes('Wiederherstellungscode'))
  assert.ok(!textOf('countersign.cjs').includes('Wiederherstellungscode'))
  assert.throws(() => importedNotices.noticeText(undefined, undefined), imported.CountersignError)
  assert.equal(importedNotices.CountersignError, imported.CountersignError)
})

/** The parts of better-auth that its plugin imports. */
const BETTER_AUTH = [
  '@better-auth/core/context',
  ...['api', 'cookies', 'crypto', 'db'].map((part) => `better-auth/${part}`),
]

/** The files that run in Node alone, and the modules that they import. */
const OF_NODE = {
  'adapters/nestjs.cjs': ['@nestjs/common', '@nestjs/core'],
  'adapters/nestjs.mjs': ['@nestjs/common', '@nestjs/core'],
  'cli.cjs': ['node:fs', 'node:path', 'node:url', 'node:util'],
  'testing/store.cjs': ['node:child_process', 'node:path', 'node:url'],
  // An adapter imports its framework, which a host of it has.
  'adapters/next.cjs': ['next/headers', 'next/navigation'],
  'adapters/better-auth.cjs': BETTER_AUTH,
  'adapters/better-auth.mjs': BETTER_AUTH,
  'edge/adapters/next.mjs': ['next/headers', 'next/navigation'],
}

test('K1 K2: no file but the commands and the kit imports a module of Node, so that a bundler for any platform looks for none', () => {
  const scripts = readdirSync(join(root, 'pkg'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^(?!cli[\\/]).*\.[cm]js$/.test(name),
  )
  assert.ok(scripts.length >= 20, `${scripts.length} scripts`)
  const imported = (name) =>
    [
      ...readFileSync(join(root, 'pkg', name), 'utf8').matchAll(
        /^(?:import|export)\b[^;"'`=]*["']([^"'.][^"']*)["']|\brequire\(["']([^"'.][^"']*)["']\)/gm,
      ),
    ].map(([, from, required]) => from ?? required)
  for (const name of scripts) {
    // The program of a worker thread is a text, which Node runs.
    const found = new Set(imported(name).filter((from) => from !== 'node:worker_threads'))
    assert.deepEqual([...found].sort(), OF_NODE[name] ?? [], name)
  }
})
