// The scenarios of tests/scenarios, played through the npm package. The Rust core plays the same files.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createSecondFactor, memoryStore, totp } from 'countersign'
import { capturedSms } from 'countersign/testing'

const folder = new URL('../scenarios/', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))

export const scenarios = files.map((file) => ({ file, ...JSON.parse(readFileSync(new URL(file, folder), 'utf8')) }))
export const keys = JSON.parse(readFileSync(new URL('../vectors/keys.json', import.meta.url), 'utf8'))

const camelCase = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

/**
 * Plays a scenario; each reply must be the one in the file. `verify` may answer in the package's place
 * (`null`: this step is not for it), `tick` hears of each step's time before it, `policyChanged` of each change of policy.
 */
export async function play(
  scenario,
  { store = memoryStore(), verify = async () => null, tick = () => undefined, policyChanged = () => undefined } = {},
) {
  let { policy } = scenario
  let now = 0
  let seed = new Uint8Array(32)
  const sms = capturedSms()
  const secondFactor = await createSecondFactor({
    policy: () => policy,
    keys,
    store,
    sendSms: sms.send,
    clock: () => now,
    entropy: () => seed,
  })
  const saved = {}
  const fill = (value) => {
    if (typeof value === 'string' && value.startsWith('$totp '))
      return totp.generate({ secret: saved[value.slice(6)], time: now })
    if (typeof value === 'string' && value.startsWith('$')) return saved[value.slice(1)]
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]))
    return value
  }
  for (const [index, step] of scenario.steps.entries()) {
    const place = `${scenario.file}, step ${index} (${step.why})`
    if (step.policy) {
      policy = step.policy
      policyChanged()
      continue
    }
    now = step.at
    tick(now)
    seed = new Uint8Array(32)
    seed[0] = index
    const [[command, fields]] = Object.entries(step.do)
    const filled = fill(fields)
    const who = 'ticket' in fields ? {} : { user: step.user }
    const sent = sms.messages.length
    const reply =
      (command === 'verify' && (await verify(filled, step, place))) ||
      (await secondFactor[camelCase(command)]({ ...filled, ...who, ...(step.ip ? { ip: step.ip } : {}) }))
    contains(reply, step.expect, place)
    if (step.sms !== undefined) assert.equal(sms.messages.length - sent, step.sms, `${place}: messages sent`)
    for (const [name, path] of Object.entries(step.save ?? {})) {
      saved[name] = path === 'sms' ? sms.lastCode() : path.split('.').reduce((at, key) => at[key], reply)
    }
  }
}

function contains(actual, expected, place) {
  if (Array.isArray(expected)) {
    assert.equal(actual.length, expected.length, place)
    expected.forEach((value, index) => contains(actual[index], value, place))
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected)) {
      if (value === null) assert.ok(!(key in actual), `${place}: ${key} must be absent`)
      else contains(actual[key], value, `${place}, ${key}`)
    }
  } else {
    assert.deepEqual(actual, expected, place)
  }
}
