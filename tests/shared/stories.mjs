// Reads the stories of tests/scenarios into their long form: one command after another, each with its time and all its
// fields. tests/scenarios/README.md describes the short form. An unknown key, fixture or command fails with its place.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'

const folder = new URL('../scenarios/', import.meta.url)
const read = (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
const defaults = read('defaults.json')
const METHODS = [...defaults.policy.methods, 'trusted_browser']
const KEYS = {
  do: ['after', 'account', 'user', 'ip', 'roles', 'why', 'do', 'expect', 'sms', 'save'],
  given: ['after', 'account', 'ip', 'given'],
  policy: ['after', 'why', 'policy'],
}

/** All scenarios, in their long form. */
export const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith('.json') && name !== 'defaults.json')
  .map((file) => longForm(file, read(file)))

/** The title, the first policy, and the steps: each sets a policy or has a command. `place` is for messages. */
export function longForm(file, story) {
  onlyKeys(story, ['title', 'about', 'policy', 'steps'], file)
  assert.ok(story.title && story.about, `${file}: a scenario has a title and says what it is about`)
  const start = merged(defaults.policy, story.policy ?? {})
  const steps = []
  let policy = start
  let now = defaults.start
  const add = (step, place) => {
    const kind = Object.keys(KEYS).find((key) => key in step)
    assert.ok(kind, `${place}: a step has \`do\`, \`given\` or \`policy\``)
    onlyKeys(step, KEYS[kind], place)
    now += step.after === undefined ? 0 : seconds(step.after, place)
    if (kind === 'policy') {
      policy = merged(policy, step.policy)
      steps.push({ place, at: now, policy })
    } else if (kind === 'given') {
      const [user, what] = step.given.split(' has ')
      assert.ok(Object.hasOwn(defaults.given, what), `${place}: no \`${what}\` in defaults.json`)
      for (const part of defaults.given[what])
        add({ user, account: step.account, ip: step.ip, ...part }, `${place} (${step.given})`)
    } else {
      steps.push(longStep(step, now, `${place} (${step.why ?? JSON.stringify(step.do)})`))
    }
  }
  for (const [index, step] of story.steps.entries()) add(step, `${file}, step ${index + 1}`)
  return { file, title: story.title, policy: start, steps }
}

function longStep({ account, user = 'ann', ip, roles, do: asked, expect, sms, save }, now, place) {
  const [command, fields] = named(asked, place)
  const [result, details] = named(expect, place)
  assert.ok(Object.hasOwn(defaults.commands, command), `${place}: no command \`${command}\` in defaults.json`)
  return {
    place,
    at: now,
    account,
    user,
    ip,
    roles,
    command,
    fields: eachText(merged(defaults.commands[command], methodAndCode(fields)), (text) => fullName(text, user)),
    expect: expectation({ result, ...(typeof details === 'string' ? { reason: details } : details) }, now, place),
    sms,
    save: Object.entries(save ?? defaults.save[result] ?? {}).map(([name, path]) => [`${user}.${name}`, path]),
  }
}

/**
 * `"begin"` or `{ "begin": { … } }`: the name, and its fields.
 * @returns {[string, any]}
 */
function named(value, place) {
  if (typeof value === 'string') return [value, {}]
  assert.ok(isObject(value) && Object.keys(value).length === 1, `${place}: one name, or one name with its fields`)
  return Object.entries(value)[0]
}

/** Replaces `{ "totp": "123456" }` by `{ "method": "totp", "code": "123456" }`. */
function methodAndCode(fields) {
  const method = METHODS.find((name) => name in fields)
  if (method === undefined) return fields
  const { [method]: code, ...others } = fields
  return { ...others, method, code }
}

/** Completes `$app` to `$ann.app`, and replaces `{user}`, for the user `ann`. */
function fullName(text, user) {
  return text.startsWith('$') && !text.includes('.') ? `$${user}.${text.slice(1)}` : text.replace('{user}', user)
}

/** The long form of a reply. In the short form a time is relative to now, as `+10 min`, and a method without more fields is its name. */
function expectation(fields, now, place) {
  const long = (key, value) => {
    if (key.endsWith('At') && value !== null) {
      assert.ok(`${value}`.startsWith('+'), `${place}: \`${key}\` is a time from now, as \`+30 s\``)
      return now + seconds(value.slice(1), place)
    }
    if (key === 'methods' && fields.result === 'challenge')
      return value.map((method) => (typeof method === 'string' ? { method } : method))
    return value
  }
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, long(key, value)]))
}

/** `5 min 1 s` in seconds. */
export function seconds(text, place) {
  assert.ok(/^\d+ (h|min|s)( \d+ (h|min|s))*$/.test(text), `${place}: \`${text}\` is no duration, as \`5 min 1 s\``)
  const sizes = { h: 3600, min: 60, s: 1 }
  return [...text.matchAll(/(\d+) (h|min|s)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * sizes[unit], 0)
}

/** JSON Merge Patch (RFC 7396): objects are merged, `null` takes out, anything else replaces. */
function merged(target, patch) {
  if (!isObject(patch)) return patch
  const result = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

/** The value with each text in it replaced by `change`. */
export function eachText(value, change) {
  if (typeof value === 'string') return change(value)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, eachText(inner, change)]))
}

export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function onlyKeys(object, known, place) {
  for (const key of Object.keys(object)) assert.ok(known.includes(key), `${place}: \`${key}\` is not known here`)
}
