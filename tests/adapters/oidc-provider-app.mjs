// The example provider, whose pages are JSON, with a person's own pages under /second-factor and the company's API under /api: what the
// cases that every adapter passes need.
import { createServer } from 'node:http'
import { CountersignError } from 'countersign'
import { answerOf, answerOfError, logInFirst } from 'countersign/adapter'
import { sqliteStore } from 'countersign/stores/sqlite'
import express from 'express'

const example = (file) => import(new URL(`../../examples/adapters/oidc-provider/${file}`, import.meta.url).href)
const { companyOp } = await example('op.js')
const { companyApi } = await example('resource-server.js')

// The native module is compiled for one version of Node.js; from 22.13 on it has its own.
const builtIn = await import('node:sqlite').catch(() => undefined)
const { default: Database } = builtIn ? { default: builtIn.DatabaseSync } : await import('better-sqlite3')

const server = createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
const issuer = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`
const {
  app: provider,
  steps,
  secondFactor,
} = companyOp({
  issuer,
  policy: JSON.parse(process.env.POLICY),
  store: sqliteStore(/** @type {any} */ (new Database(process.env.DATABASE))),
  sendSms: ({ to, body }) => console.log(`SMS to ${to}: ${JSON.stringify(body)}`),
  page: (values) => values,
})

/** An owner's act for another user. */
const rescue =
  (act) =>
  (caller, { user }) =>
    caller.roles.includes('owner')
      ? secondFactor[act]({ user, ip: caller.ip, by: { ...identity(caller), role: 'owner' } })
      : { result: 'denied', reason: 'owner_only' }
const identity = ({ user, session, pass }) => ({ user, session, pass })

/** The routes of a person's own pages, for people who are in. */
const ACTS = {
  'enroll-totp': (caller) => secondFactor.enrollTotp({ ...caller, label: caller.user }),
  'enroll-sms': (caller, { number }) => secondFactor.enrollSms({ ...caller, number }),
  'confirm-totp': ({ pass, ...caller }, { setup, code }) => secondFactor.confirmTotp({ ...caller, setup, code }),
  'confirm-sms': ({ pass, ...caller }, { setup, code }) => secondFactor.confirmSms({ ...caller, setup, code }),
  'show-backup-codes': (caller) => secondFactor.showBackupCodes(caller),
  'renew-backup-codes': (caller) => secondFactor.renewBackupCodes(caller),
  'issue-recovery-code': rescue('issueRecoveryCode'),
  reset: rescue('reset'),
  rename: (caller, { factor, name }) => secondFactor.rename({ ...caller, factor, name }),
  remove: (caller, { factor }) => secondFactor.remove({ ...caller, factor }),
  status: async ({ user }) => ({ result: 'status', status: await secondFactor.status({ user }) }),
}

const app = express()
const api = companyApi({ issuer })
app.use('/api', (req, res) => void api.emit('request', req, res))
app.get('/second-factor/state', async (req, res) => {
  const person = await steps.signedIn(req, res)
  const result = person === undefined ? 'nobody' : person.reply.result === 'in' ? 'in' : 'first_factor'
  res.json({ result })
})
app.all('/second-factor/:act', express.json(), async (req, res) => {
  const send = ({ status, headers, body }) => void res.status(status).set(headers).json(body)
  const person = await steps.signedIn(req, res)
  if (person?.reply.result !== 'in') return send(logInFirst())
  const reply = /** @type {any} */ (await ACTS[req.params.act](person.caller, Object(req.body)))
  if (reply.result === 'status') return void res.json(reply)
  if (reply.pass !== undefined) await steps.keepPass(req, res, reply.pass)
  return send(answerOf(reply, Math.floor(Date.now() / 1_000)))
})
app.use(provider)
app.use((error, _req, res, _next) => {
  if (!CountersignError.is(error)) console.error(error)
  const { status, headers, body } = CountersignError.is(error)
    ? answerOfError(error)
    : { status: 500, headers: {}, body: {} }
  res.status(status).set(headers).json(body)
})
server.on('request', app)
console.log(`Listening on ${issuer}`)
