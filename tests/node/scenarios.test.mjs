// The scenarios of tests/scenarios, through the npm package. The Rust core runs the same files.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { createSecondFactor, memoryStore, totp } from 'countersign'
import { capturedSms } from 'countersign/testing'

const folder = new URL('../scenarios/', import.meta.url)
const keys = readFileSync(new URL('../vectors/keys.json', import.meta.url), 'utf8')
const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
const camelCase = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

test('the scenarios are there', () => assert.ok(files.length >= 12, `only ${files.length}`))

for (const file of files) {
  test(`scenario ${file}`, async () => {
    const scenario = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
    let { policy } = scenario
    let now = 0
    let seed = new Uint8Array(32)
    const sms = capturedSms()
    const secondFactor = await createSecondFactor({
      policy: () => policy,
      keys,
      store: memoryStore(),
      sendSms: sms.send,
      clock: () => now,
      entropy: () => seed,
    })
    const saved = {}
    const fill = (value) => {
      if (typeof value === 'string' && value.startsWith('$totp ')) return totp.generate({ secret: saved[value.slice(6)], time: now })
      if (typeof value === 'string' && value.startsWith('$')) return saved[value.slice(1)]
      if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]))
      return value
    }
    for (const [index, step] of scenario.steps.entries()) {
      const place = `${file}, step ${index} (${step.why})`
      if (step.policy) {
        policy = step.policy
        continue
      }
      now = step.at
      seed = new Uint8Array(32)
      seed[0] = index
      const [[command, fields]] = Object.entries(step.do)
      const who = 'ticket' in fields ? {} : { user: step.user }
      const sent = sms.messages.length
      const reply = await secondFactor[camelCase(command)]({ ...fill(fields), ...who, ...(step.ip ? { ip: step.ip } : {}) })
      contains(reply, step.expect, place)
      if (step.sms !== undefined) assert.equal(sms.messages.length - sent, step.sms, `${place}: messages sent`)
      for (const [name, path] of Object.entries(step.save ?? {})) {
        saved[name] = path === 'sms' ? sms.lastCode() : path.split('.').reduce((at, key) => at[key], reply)
      }
    }
  })
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
