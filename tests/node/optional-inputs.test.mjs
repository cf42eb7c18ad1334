// Under `exactOptionalPropertyTypes` a field that may be left out takes `undefined` only where its type says so. Each does (K5).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecondFactor, generateKeys, memoryStore, otpauth, policy, totp } from 'countersign'
import { hashing } from '../shared/hashing.mjs'
import { complaintsAbout } from './consumer.mjs'

const consumer = `
import * as countersign from 'countersign'
import type { WholeStore, PolicyAnswer, Revoked, SecondFactor, Store, Stored } from 'countersign'
import * as operator from 'countersign/operator'
import * as storageApi from 'countersign/storage-api'
import * as notices from 'countersign/notices'
import * as testing from 'countersign/testing'
import * as browser from 'countersign/browser'

/** T with each optional field there, and \`undefined\` where it may be left out, at any depth. Bytes have no fields of ours. */
type Explicit<T> = T extends ((...args: never[]) => unknown) | Uint8Array
  ? T
  : T extends readonly (infer Item)[]
    ? number extends T['length'] ? Explicit<Item>[] : { [Key in keyof T]: Explicit<T[Key]> }
    : T extends object
      ? { [Key in keyof T]-?: string extends Key ? Explicit<T[Key]> : {} extends Pick<T, Key> ? Explicit<T[Key]> | undefined : Explicit<T[Key]> }
      : T
type Takes<T> = [Explicit<T>] extends [T] ? true : false
/** For each function its answer. */
type Inputs<Module> = { [Name in keyof Module as Module[Name] extends (...args: never[]) => unknown ? Name : never]:
  Module[Name] extends (...args: infer Given) => unknown ? Takes<Required<Given>> : never }
type Wrong<Module> = { [Name in keyof Inputs<Module>]: Inputs<Module>[Name] extends true ? never : Name }[keyof Inputs<Module>]

type Parts = typeof countersign.totp & typeof countersign.otpauth & typeof countersign.qr
/** Each name here is a function with a field that refuses \`undefined\`. */
type Found =
  | Wrong<typeof countersign> | Wrong<typeof operator> | Wrong<typeof storageApi> | Wrong<typeof notices> | Wrong<typeof testing>
  | Wrong<typeof browser> | Wrong<SecondFactor> | Wrong<operator.Operator> | Wrong<Parts>
  | Wrong<typeof countersign.backupCodes> | Wrong<typeof countersign.policy>
export const none: [Found] extends [never] ? true : Found = true
export const given: [Takes<PolicyAnswer>, Takes<Revoked>, Takes<Stored>] = [true, true, true]
export const count: keyof Inputs<SecondFactor> extends never ? never : 'verify' extends keyof Inputs<SecondFactor> ? true : never = true
export type Stores = [Store, WholeStore]

type Refusing = { call(input: { user: string; deep?: { ip?: string } | undefined }): void }
export const found: Wrong<Refusing> = 'call'
// @ts-expect-error the same with \`undefined\` is no mistake
export const fine: Wrong<{ call(input: { ip?: string | undefined }): void }> = 'call'

export const question = (account: string | undefined, factor: SecondFactor) =>
  factor.begin({ user: 'ann', session: 's', account, ip: undefined, roles: undefined, channel: undefined, plan: undefined })
`

test('K5: every input that may be left out takes `undefined`, by its type', () => {
  assert.equal(complaintsAbout({ 'consumer.ts': consumer }, { lib: ['es2022', 'dom'] }), '')
})

test('K5: every input that may be left out takes `undefined`, when it is called', async () => {
  const none = undefined
  const rules = { v: 1, name: 'Acme', origin: 'https://acme.example' }
  const hooks = { sendSms: none, notify: none, endPasses: none, revoked: none, onEvent: none, onEffectError: none }
  const more = { limits: none, clock: none, entropy: none, hashing: hashing === 'inline' ? hashing : none }
  const given = {
    policy: { ...rules, plans: none, network: { allow: none } },
    keys: generateKeys(),
    store: memoryStore(),
  }
  const factor = createSecondFactor({ ...given, ...hooks, ...more })
  const place = { user: 'ann', account: none, ip: none, roles: none, session: 's' }
  assert.equal((await factor.begin({ ...place, channel: none, plan: none })).result, 'allowed')
  const question = { ...place, pass: none, channel: none, fresh: none, maxAge: none, methods: none }
  assert.equal((await factor.check(question)).result, 'in')
  const people = { author: 'ann', authorIp: none, users: [{ user: 'ann', role: /** @type {const} */ ('owner') }] }
  assert.equal(
    (
      await factor.reviewPolicy({
        ...{ account: none, apiClients: none },
        policy: rules,
        author: { user: 'ann', ip: none },
        users: people.users,
      })
    ).refused,
    false,
  )
  assert.equal(
    policy.decide(rules, {
      ip: none,
      roles: none,
      channel: none,
      enrollment: 'none',
      plan: none,
      recoveryCode: none,
      time: none,
    }).decision.outcome,
    'allowed',
  )
  const settings = { secret: totp.secret(), algorithm: none, digits: none, periodSeconds: none }
  assert.equal(totp.verify({ ...settings, code: '0', time: 0, window: none, after: none }).valid, false)
  assert.ok(otpauth.parse(otpauth.format({ issuer: 'Acme', label: 'ann', ...settings }), { strict: none }).secret)
})
