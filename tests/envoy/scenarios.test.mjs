// The scenarios of tests/scenarios with a `verify`: each `verify` goes through Envoy's x-otp, but for one that trusts a
// browser or is by one, which the gate does not take. Each other command goes through the npm package on the same store and
// clock. The replies must be those of the files.
import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { after, test } from 'node:test'
import { memoryStore } from 'countersign'
import { scenarios as allScenarios, keys, play } from '../shared/scenarios.mjs'
import { request } from './http.mjs'
import {
  claimsOf,
  configWith,
  cookies,
  ENVOYS,
  gateSession,
  named,
  PASS,
  SESSION,
  startEnvoy,
  startStorage,
  startUpstream,
  TOKEN,
  verifyBy,
} from './support.mjs'

const isOfABrowser = (fields) => fields.method === 'trusted_browser' || fields.trustBrowser !== undefined
const verifies = (scenario) =>
  scenario.steps.filter((step) => step.command === 'verify' && !isOfABrowser(step.fields)).length
const scenarios = allScenarios.filter(verifies)
const wanted = scenarios.reduce((sum, scenario) => sum + verifies(scenario), 0)
const METHODS = ['totp', 'sms', 'backup_code', 'recovery_code']

// A pass of the gate names its session by a hash. The later steps in Node need a pass of the login host: the same
// claims for the new session, under the same key.
function rebound(pass, session) {
  const [header] = pass.split('.')
  const seed = Buffer.from(keys.signing[0].secret, 'base64url')
  const key = createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  })
  const input = `${header}.${Buffer.from(JSON.stringify({ ...claimsOf(pass), sid: session })).toString('base64url')}`
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
}

// The reason in the gate's answer to a denial, where it has another name than in the reply.
const RENAMED = {
  method_not_offered: 'method_not_accepted',
  other_session: 'ticket_invalid',
  recovery_code_required: 'use_login_page',
}
const STATUS = {
  wrong: [401, 'wrong_code'],
  malformed: [400, 'code_malformed'],
  locked: [429, 'locked'],
  already_used: [401, 'code_used'],
  expired: [401, 'code_expired'],
}

async function prepare(envoy) {
  const upstream = await startUpstream({ after })
  const clusters = { app: upstream.port }
  const listeners = {}
  const stores = {}
  for (const scenario of scenarios) {
    stores[scenario.file] = memoryStore()
    clusters[scenario.file] = (await startStorage({ after }, { store: stores[scenario.file], token: TOKEN })).port
    for (const [index, policy] of [
      scenario.policy,
      ...scenario.steps.map((step) => step.policy).filter(Boolean),
    ].entries()) {
      // Each account has a gate of its own.
      for (const account of new Set(scenario.steps.map((step) => step.account))) {
        listeners[`${scenario.file} ${index} ${account}`] = {
          hops: 1,
          config: configWith({
            policy,
            accounts: account === undefined ? 'none' : { one: account },
            clientAddress: { trustedHops: 1 },
            verify: verifyBy({ cluster: scenario.file, timeoutMs: 5_000, methods: METHODS }),
          }),
        }
      }
    }
  }
  const gate = await startEnvoy(
    { after },
    {
      ...envoy,
      listeners,
      clusters,
      clock: () => scenarios[0].steps[0].at,
      env: { COUNTERSIGN_KEYS: JSON.stringify(keys), COUNTERSIGN_STORAGE_TOKEN: TOKEN },
    },
  )
  return { envoy, gate, stores }
}

// All gates first: the runner does not wait for tests that are declared after the first ones have ended.
for (const { envoy, gate, stores } of await Promise.all(ENVOYS.map(prepare))) {
  let ran = 0

  for (const scenario of scenarios) {
    test(`scenario ${scenario.file} (${named(envoy)})`, async () => {
      let now
      let version = 0
      const tick = (time) => gate.tick((now = time))
      const throughEnvoy = async (fields, step, place) => {
        // Fields that Envoy does not show stand for themselves; `null` means absent.
        const untold = Object.fromEntries(Object.entries(step.expect).filter(([, value]) => value !== null))
        const bytes = (text) => Buffer.from(text).toString('latin1')
        const answer = await request(gate.ports[`${scenario.file} ${version} ${step.account}`], {
          headers: [
            ['cookie', bytes(cookies({ [SESSION]: fields.session }))],
            ['x-forwarded-for', step.ip ?? 'unknown'],
            ['x-otp', bytes(`${fields.method} ${fields.code}`)],
            ['x-otp-ticket', bytes(fields.ticket)],
          ],
        })
        const { result, reason } = step.expect
        if (fields.code.includes('\0')) {
          assert.equal(answer.status, 400, `${place}: such a byte never gets to the filter`)
          return untold
        }
        if (result === 'verified') {
          assert.equal(answer.status, 200, `${place}: ${answer.text}`)
          const pass = answer
            .all('set-cookie')
            .map((line) => line.match(`^${PASS}=([^;]+)`)?.[1])
            .find(Boolean)
          const claims = claimsOf(pass)
          assert.deepEqual(
            [claims.sid, claims.second_factor, claims.auth_time],
            [gateSession(fields.session), fields.method, now],
            place,
          )
          assert.equal(
            answer.json.headers.find(([name]) => name === 'x-second-factor-sub')[1],
            encodeURIComponent(claims.sub),
            place,
          )
          assert.equal(claims.account, step.account, place)
          const session = fields.newSession ?? 'a new session'
          return {
            ...untold,
            result,
            session,
            user: claims.sub,
            method: fields.method,
            expiresAt: claims.exp,
            pass: rebound(pass, session),
          }
        }
        const [status, name] = STATUS[result] ?? [/^address_/.test(reason) ? 403 : 401, RENAMED[reason] ?? reason]
        assert.equal(answer.json.reason, name, `${place}: ${answer.text}`)
        assert.equal(answer.status, status, place)
        // A refusal before the record was read has no reply of the engine.
        return answer.json.reply ?? untold
      }
      await play(scenario, {
        store: stores[scenario.file],
        tick,
        policyChanged: () => (version += 1),
        verify: async (fields, step, place) => {
          if (isOfABrowser(fields)) return null
          ran += 1
          return throughEnvoy(fields, step, place)
        },
      })
    })
  }

  test(`every verify step of the scenarios ran through Envoy (${named(envoy)})`, () => {
    assert.ok(scenarios.length >= 12 && wanted >= 60, `${scenarios.length}, ${wanted}`)
    assert.equal(ran, wanted)
    assert.doesNotMatch(gate.log(), /panicked|backtrace/)
  })
}
