// SMS gateways for the tests: servers at 127.0.0.1 that speak the APIs of Twilio, Amazon SNS and ClickSend as they are
// published. A message that is not asked for in that form is refused. Answers hold the number, the text and the credentials
// wherever the real ones might, so that a test finds them where they leak.
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { at } from '../../scripts/common.mjs'

const FROM = '+61480000000'
const SERVICE = `MG${'0'.repeat(32)}`

/**
 * @typedef {{ request: import('node:http').IncomingMessage, body: string }} Asked
 * @typedef {object} Gateway
 * @property {string} file  of examples/sms
 * @property {string} address  the variable with the gateway's address
 * @property {Record<string, string>} settings  the other variables
 * @property {string[]} secrets
 * @property {(asked: Asked) => { to: string, body: string, [more: string]: unknown }} read  throws where the request is no right one
 * @property {(message: { to: string, body: string }) => Answer} accepts
 * @property {Record<string, (message: { to: string, body: string }) => Answer>} refusals  of the message, which then never left
 * @property {Record<string, (message: { to: string, body: string }) => Answer>} doubts  after which it may be on its way
 * @typedef {{ status: number, type?: string, body: string, location?: string }} Answer
 */

const json = (status, value) => ({ status, type: 'application/json', body: JSON.stringify(value) })
const html = (status) => ({ status, type: 'text/html', body: '<html><body>an error page of a proxy</body></html>' })

/** Other answers of each gateway. */
const PROXY = {
  'a proxy that could not reach it': () => html(502),
  'a proxy that waited too long for it': () => html(504),
  'a proxy that waited too long for the request': () => html(408),
  'a page in place of the answer': () => html(200),
}

const twilioError = (status, code, message) => json(status, { code, message, more_info: '', status })

/** @type {Gateway} */
const twilio = {
  file: 'twilio.js',
  address: 'TWILIO_URL',
  settings: {
    TWILIO_ACCOUNT_SID: `AC${'1'.repeat(32)}`,
    TWILIO_API_KEY: `SK${'2'.repeat(32)}`,
    TWILIO_API_SECRET: 'twilio-secret-of-the-tests',
    TWILIO_FROM: FROM,
  },
  secrets: ['twilio-secret-of-the-tests', basicOf(`SK${'2'.repeat(32)}`, 'twilio-secret-of-the-tests')],
  read({ request, body }) {
    assert.equal(request.url, `/2010-04-01/Accounts/AC${'1'.repeat(32)}/Messages.json`)
    assert.equal(request.headers.authorization, `Basic ${twilio.secrets[1]}`)
    const { To: to, Body: text, From, MessagingServiceSid, ValidityPeriod, ...rest } = formOf(request, body)
    assert.deepEqual(rest, {})
    assert.ok((From === FROM) !== (MessagingServiceSid === SERVICE))
    assert.match(ValidityPeriod, /^[1-9]\d{0,4}$/)
    assert.ok(Number(ValidityPeriod) <= 36_000)
    return { to, body: text, from: From ?? MessagingServiceSid, seconds: Number(ValidityPeriod) }
  },
  accepts: ({ to, body }) => json(201, { sid: `SM${'3'.repeat(32)}`, status: 'queued', to, body, error_code: null }),
  refusals: {
    'a number that is none': ({ to }) => twilioError(400, 21211, `The 'To' number ${to} is not a valid phone number.`),
    'a number that wants no messages': () => twilioError(400, 21610, 'Attempt to send to unsubscribed recipient'),
    'wrong credentials': () => twilioError(401, 20003, `Authenticate ${twilio.secrets[0]}`),
    'too many requests': () => twilioError(429, 20429, 'Too Many Requests'),
    'a refusal without a body': () => ({ status: 403, body: '' }),
  },
  doubts: {
    ...PROXY,
    'an error of its own': ({ to, body }) => twilioError(500, 20500, `Internal Server Error: ${to} ${body}`),
    'no service': () => twilioError(503, 20503, 'Service Unavailable'),
    'a conflict': () => twilioError(409, 20409, 'Conflict'),
    'an answer that is no JSON': ({ to, body }) => ({
      status: 201,
      type: 'application/json',
      body: `{"to": ${to} ${body}`,
    }),
    'an answer without an id': () => json(201, { status: 'queued' }),
    'an error with an id': () => json(500, { sid: `SM${'3'.repeat(32)}` }),
    'a code that is an object': () => json(201, { code: { toString: 1 } }),
    'an answer that is null': () => json(201, null),
  },
}

const CLICKSEND_SECRET = 'clicksend-secret-of-the-tests'
const clicksendError = (status, code, message = '') =>
  json(status, { http_code: status, response_code: code, response_msg: message, data: null })
/** The answer to a request of one message. */
const clicksendResult = (status, { to, body }) =>
  json(200, {
    http_code: 200,
    response_code: 'SUCCESS',
    response_msg: 'Messages queued for delivery.',
    data: { total_count: 1, queued_count: status === 'SUCCESS' ? 1 : 0, messages: [{ to, body, status }] },
  })

/** @type {Gateway} */
const clicksend = {
  file: 'clicksend.js',
  address: 'CLICKSEND_URL',
  settings: { CLICKSEND_USERNAME: 'acme@acme.example', CLICKSEND_API_KEY: CLICKSEND_SECRET, CLICKSEND_FROM: 'Acme' },
  secrets: [CLICKSEND_SECRET, basicOf('acme@acme.example', CLICKSEND_SECRET)],
  read({ request, body }) {
    assert.equal(request.url, '/v3/sms/send')
    assert.equal(request.headers.authorization, `Basic ${clicksend.secrets[1]}`)
    assert.equal(request.headers['content-type'], 'application/json')
    const { messages, ...rest } = JSON.parse(body)
    assert.deepEqual(rest, {})
    assert.equal(messages.length, 1)
    const { to, body: text, from, custom_string: reference, source, ...more } = messages[0]
    assert.deepEqual(more, {})
    assert.equal(source, 'countersign')
    return { to, body: text, from, reference }
  },
  accepts: (message) => clicksendResult('SUCCESS', message),
  refusals: {
    'a number that is none': (message) => clicksendResult('INVALID_RECIPIENT', message),
    'a country that is not on': (message) => clicksendResult('COUNTRY_NOT_ENABLED', message),
    'no credit': (message) => clicksendResult('INSUFFICIENT_CREDIT', message),
    'a request that it does not know': ({ to }) => clicksendError(400, 'BAD_REQUEST', `The number ${to} is invalid`),
    'wrong credentials': () => clicksendError(401, 'UNAUTHORIZED', CLICKSEND_SECRET),
    'too many requests': () => clicksendError(429, 'TOO_MANY_REQUESTS'),
  },
  doubts: {
    ...PROXY,
    'an error of its own': ({ to, body }) => clicksendError(500, 'INTERNAL_SERVER_ERROR', `${to} ${body}`),
    'the same text just before': (message) => clicksendResult('THROTTLED', message),
    'a status that is new': ({ to, body }) => clicksendResult(`NEW ${to} ${body}`, { to, body }),
    'an answer that is no JSON': ({ to, body }) => ({
      status: 200,
      type: 'application/json',
      body: `{"to": ${to} ${body}`,
    }),
    'an answer without messages': () => json(200, { http_code: 200, response_code: 'SUCCESS', data: { messages: [] } }),
    'an answer that is null': () => json(200, null),
  },
}

const SNS_SECRET = 'sns/secret+of-the-tests'
const SNS_KEY = 'AKIDTESTS'
const REGION = 'ap-southeast-2'
const xml = (status, body) => ({ status, type: 'text/xml', body })
const snsError = (status, code, message = '') =>
  xml(
    status,
    `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  )

/** @type {Gateway} */
const amazonSns = {
  file: 'amazon-sns.js',
  address: 'AWS_ENDPOINT_URL_SNS',
  settings: {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: SNS_KEY,
    AWS_SECRET_ACCESS_KEY: SNS_SECRET,
    AWS_SESSION_TOKEN: 'session-token-of-the-tests',
    SNS_SENDER_ID: 'Acme',
  },
  secrets: [SNS_SECRET, 'session-token-of-the-tests'],
  read({ request, body }) {
    assert.equal(request.url, '/')
    assertSigned(request, body)
    const { Action, Version, PhoneNumber: to, Message: text, ...rest } = formOf(request, body)
    assert.deepEqual([Action, Version], ['Publish', '2010-03-31'])
    /** @type {Record<string, string>} */
    const attributes = {}
    for (let entry = 1; ; entry += 1) {
      const field = (name) => `MessageAttributes.entry.${entry}.${name}`
      if (rest[field('Name')] === undefined) break
      assert.equal(rest[field('Value.DataType')], 'String')
      attributes[rest[field('Name')]] = rest[field('Value.StringValue')]
      for (const name of ['Name', 'Value.DataType', 'Value.StringValue']) delete rest[field(name)]
    }
    assert.deepEqual(rest, {})
    assert.equal(attributes['AWS.SNS.SMS.SMSType'], 'Transactional')
    return { to, body: text, from: attributes['AWS.SNS.SMS.SenderID'] }
  },
  accepts: () =>
    xml(
      200,
      '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult><ResponseMetadata><RequestId>f187a3c1</RequestId></ResponseMetadata></PublishResponse>',
    ),
  refusals: {
    'a number that is none': ({ to }) =>
      snsError(400, 'InvalidParameter', `Invalid parameter: PhoneNumber Reason: ${to} is not valid to publish to`),
    'wrong credentials': () => snsError(403, 'SignatureDoesNotMatch', SNS_SECRET),
    'a role without the right': () => snsError(403, 'AuthorizationError'),
    'too many requests': () => snsError(429, 'Throttled', 'Rate exceeded'),
  },
  doubts: {
    ...PROXY,
    'an error of its own': ({ to, body }) => snsError(500, 'InternalError', `${to} ${body}`),
    'an answer that is no XML': ({ to, body }) => xml(200, `<PublishResponse><Message ${to} ${body}`),
    'an error with an id': () => xml(500, '<PublishResult><MessageId>94f20ce6</MessageId></PublishResult>'),
    'an answer without an id': () => xml(200, '<PublishResponse><PublishResult></PublishResult></PublishResponse>'),
  },
}

export const GATEWAYS = { Twilio: twilio, ClickSend: clicksend, 'Amazon SNS': amazonSns }

/**
 * A gateway that listens, and the `sendSms` for it. It keeps its messages, and answers as its function `answer` says, which is
 * given the message and the connection: with an answer, or by ending the connection.
 * @param {import('node:test').TestContext} t
 * @param {Gateway} gateway
 * @param {{ address?: string, settings?: Record<string, string> }} [options]  address: of no server, in place of this one
 */
export async function startGateway(t, gateway, { address, settings = {} } = {}) {
  const messages = []
  const wrong = []
  const state = {
    messages,
    /** @type {(message: any, connection: import('node:net').Socket) => Answer | undefined} */
    answer: gateway.accepts,
    sendSms: undefined,
    url: '',
    /** The reasons for which requests were refused that had the wrong form. */
    wrong,
  }
  const server = createServer(async (request, response) => {
    const body = await text(request)
    let answer
    try {
      assert.equal(request.method, 'POST')
      const message = gateway.read({ request, body })
      messages.push(message)
      answer = state.answer(message, request.socket)
    } catch (error) {
      wrong.push(error)
      answer = { status: 400, body: '' }
    }
    if (answer === undefined) return
    const { status, type = 'text/plain', location } = answer
    response.writeHead(status, { 'content-type': type, ...(location !== undefined && { location }) }).end(answer.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  state.url = `http://127.0.0.1:${server.address().port}`
  state.sendSms = await load(gateway, { ...gateway.settings, ...settings, [gateway.address]: address ?? state.url })
  return state
}

let loads = 0

/** `sendSms` of a file in examples/sms, which reads its settings when it is loaded. */
export async function load({ file, settings, address }, given) {
  const names = new Set([...Object.keys(settings), address, ...Object.keys(given)])
  const before = Object.fromEntries([...names].map((name) => [name, process.env[name]]))
  for (const name of names) delete process.env[name]
  Object.assign(process.env, given)
  try {
    loads += 1
    return (await import(`${at('examples/sms', file)}?${loads}`)).sendSms
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

function basicOf(name, password) {
  return Buffer.from(`${name}:${password}`).toString('base64')
}

/** The fields of a form, each of which comes once. @returns {Record<string, string>} */
function formOf({ headers }, body) {
  assert.match(headers['content-type'], /^application\/x-www-form-urlencoded(?:;|$)/)
  const fields = [...new URLSearchParams(body)]
  assert.equal(new Set(fields.map(([name]) => name)).size, fields.length)
  return Object.fromEntries(fields)
}

/**
 * Signature Version 4, computed as its specification says.
 * @param {import('node:http').IncomingMessage} request
 * @param {string} body
 */
function assertSigned({ method, url, headers }, body) {
  const [, day, names, signature] =
    /^AWS4-HMAC-SHA256 Credential=AKIDTESTS\/(\d{8})\/ap-southeast-2\/sns\/aws4_request, SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization,
    )
  for (const name of ['host', 'x-amz-date', 'x-amz-security-token']) assert.ok(names.split(';').includes(name), name)
  const time = String(headers['x-amz-date'])
  assert.equal(time.slice(0, 8), day)
  const age = Date.now() - Date.parse(time.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))
  assert.ok(Math.abs(age) < 15 * 60_000, time)
  const hash = (value) => createHash('sha256').update(value).digest('hex')
  const hmac = (key, value) => createHmac('sha256', key).update(value).digest()
  const signed = names.split(';').map((name) => `${name}:${headers[name]}\n`)
  const canonical = [method, url, '', signed.join(''), names, hash(body)].join('\n')
  const scope = [day, REGION, 'sns', 'aws4_request']
  const key = scope.reduce(hmac, Buffer.from(`AWS4${SNS_SECRET}`))
  const wanted = hmac(key, ['AWS4-HMAC-SHA256', time, scope.join('/'), hash(canonical)].join('\n'))
  assert.equal(signature, wanted.toString('hex'))
}
