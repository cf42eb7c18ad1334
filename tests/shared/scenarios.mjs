// Plays the scenarios of tests/scenarios through the npm package. The Rust core plays the same files.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createSecondFactor, memoryStore, totp } from 'countersign'
import { createOperator } from 'countersign/operator'
import { capturedSms } from 'countersign/testing'
import { hashing } from './hashing.mjs'
import { eachText, isObject, seconds } from './stories.mjs'

export { scenarios } from './stories.mjs'
export const keys = JSON.parse(readFileSync(new URL('../vectors/keys.json', import.meta.url), 'utf8'))

/**
 * Plays a scenario; each reply must be the one in the file. `verify` may answer instead of the package
 * (`null`: the package answers). `tick` gets the time before each step, `policyChanged` each change of policy.
 */
export async function play(
  scenario,
  {
    store = memoryStore(),
    verify = async (..._step) => null,
    tick = (_time) => undefined,
    policyChanged = () => undefined,
  } = {},
) {
  let { policy } = scenario
  let now = 0
  let seed = new Uint8Array(32)
  const sms = capturedSms()
  const options = {
    policy: () => policy,
    keys,
    store,
    sendSms: sms.send,
    clock: () => now,
    entropy: () => seed,
    hashing,
  }
  const secondFactor = createSecondFactor(options)
  const operator = createOperator(options)
  const saved = {}
  for (const [index, step] of scenario.steps.entries()) {
    if (step.policy) {
      policy = step.policy
      policyChanged()
      continue
    }
    now = step.at
    tick(now)
    seed = new Uint8Array(32)
    seed[0] = index
    const { command, place } = step
    const fields = eachText(step.fields, (text) => (text.startsWith('$') ? kept(text.slice(1), saved, step) : text))
    const who = { account: step.account, ...(['verify', 'send_sms'].includes(command) ? {} : { user: step.user }) }
    const sent = sms.messages.length
    const ask = async () =>
      command.startsWith('operator_')
        ? operate(operator, step)
        : secondFactor[camelCase(command)]({
            ...fields,
            ...who,
            ...(step.ip ? { ip: step.ip } : {}),
            ...(step.roles ? { roles: step.roles } : {}),
          })
    const reply =
      ((command === 'verify' && (await verify(fields, step, place))) ||
        (await ask().catch((error) => {
          throw new Error(`${place}: ${error.message}`, { cause: error })
        }))) ??
      WITHOUT_REPLY
    contains(reply, step.expect, place)
    if (step.sms !== undefined) assert.equal(sms.messages.length - sent, step.sms, `${place}: messages sent`)
    for (const [name, wanted] of step.save) {
      const path = wanted.replace(/\?$/, '')
      if (path !== wanted && !(path in reply)) continue
      const value =
        path === 'sms'
          ? sms.lastCode()
          : (path === 'app' ? 'secret' : path).split('.').reduce((part, key) => part?.[key], reply)
      assert.ok(typeof value === 'string', `${place}: no ${path} to save`)
      saved[name] = path === 'app' ? { secret: value } : value
    }
  }
}

/** The operator's command of a step. */
async function operate(operator, { command, account, user, fields }) {
  const given = { ...fields, operator: 'night shift' }
  const { found: _, ...reply } = await (command === 'operator_moved'
    ? operator.moved({ ...given, from: { account, user } })
    : operator[command.replace('operator_', '')]({ ...given, account, user }))
  return 'result' in reply ? reply : WITHOUT_REPLY
}

/** A method that gives nothing, or no `result`, stands for this reply of the core. `found` is of the package alone. */
const WITHOUT_REPLY = { result: 'ended' }

const camelCase = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

/** The saved value, or the code of a saved app at the step's time; with `- 2 min`, the code of two minutes before. */
function kept(text, saved, step) {
  const [name, sign, duration] = text.split(/ ([-+]) /)
  const value = saved[name]
  assert.ok(value !== undefined, `${step.place}: nothing was saved as \`${name}\``)
  assert.ok(value.secret || sign === undefined, `${step.place}: only an app has a code at another time`)
  const away = sign === undefined ? 0 : seconds(duration, step.place)
  return value.secret ? totp.generate({ secret: value.secret, time: step.at + (sign === '-' ? -away : away) }) : value
}

/** Asserts that every expected field is there. Lists must match element by element. */
function contains(actual, expected, place) {
  if (Array.isArray(expected)) {
    assert.equal(actual?.length, expected.length, `${place}: length of ${JSON.stringify(actual)}`)
    for (const [index, value] of expected.entries()) contains(actual[index], value, place)
  } else if (isObject(expected)) {
    assert.ok(isObject(actual), `${place}: ${JSON.stringify(actual)} is no object`)
    for (const [key, value] of Object.entries(expected)) {
      if (value === null) assert.ok(!(key in actual), `${place}: ${key} must be absent`)
      else contains(actual[key], value, `${place}, ${key}`)
    }
  } else {
    assert.deepEqual(actual, expected, `${place}: ${JSON.stringify(actual)} in place of ${JSON.stringify(expected)}`)
  }
}
