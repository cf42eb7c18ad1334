// The files of examples/sms, unchanged, each with a server that speaks the API of its gateway (`gateways.mjs`).
import assert from 'node:assert/strict'
import dns from 'node:dns'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { CountersignError, createSecondFactor, generateKeys, memoryStore, SmsNeverLeft } from 'countersign'
import { fixedClock } from 'countersign/testing'
import { freePorts } from '../../scripts/common.mjs'
import { GATEWAYS, load, startGateway } from './gateways.mjs'

const NUMBER = '+61412345678'
const BODY = '123456 is your Acme code, valid 10 min. Give it to no one.\n\n@login.acme.example #123456'
const messageTo = (to = NUMBER) => ({
  id: 'id-of-the-effect',
  user: 'ann',
  to,
  body: BODY,
  expiresAt: Math.floor(Date.now() / 1000) + 600,
})

/** Asserts that neither the error nor anything in it tells a number, a code, a text or a credential. */
function assertTellsNothing(error, gateway, message = messageTo()) {
  const all = inspect(error, { depth: 20, showHidden: true, getters: true, maxStringLength: null })
  const code = /\d{6}/.exec(message.body)[0]
  for (const secret of [message.to, message.to.slice(1), message.to.slice(-6), code, 'Give it', ...gateway.secrets])
    assert.ok(!all.includes(secret), `the error tells ${secret}: ${all}`)
}

/** The error of `sendSms`, of the wanted kind. */
async function failing(sendSms, gateway, { never, says = /./ }) {
  const error = await sendSms(messageTo()).then(
    () => assert.fail('the message was taken for sent'),
    (error) => error,
  )
  assert.equal(error instanceof SmsNeverLeft, never, inspect(error))
  assert.match(error.message, /^the gateway [a-z]/)
  assert.match(error.message, says)
  assertTellsNothing(error, gateway)
  return error
}

for (const [name, gateway] of Object.entries(GATEWAYS)) {
  test(`${name}: a message is handed over once, as its API asks for it`, async (t) => {
    const { sendSms, messages, wrong } = await startGateway(t, gateway)
    assert.equal(await sendSms(messageTo()), undefined)
    assert.deepEqual(wrong, [])
    assert.equal(messages.length, 1)
    const [{ to, body, from, reference, seconds }] = messages
    assert.deepEqual({ to, body }, { to: NUMBER, body: BODY })
    assert.ok(Object.values(gateway.settings).includes(from))
    if (name === 'ClickSend') assert.equal(reference, 'id-of-the-effect')
    if (name === 'Twilio') assert.ok(seconds > 590 && seconds <= 600, 'it is dropped when the code has ended')
  })

  for (const [reason, answer] of Object.entries(gateway.refusals)) {
    test(`C11: ${name}, ${reason}: the message never left`, async (t) => {
      const at = await startGateway(t, gateway)
      at.answer = answer
      await failing(at.sendSms, gateway, {
        never: true,
        says: /^the gateway refused the message: status \d{3}, code \w+$/,
      })
      assert.equal(at.messages.length, 1, 'it is not tried again')
    })
  }

  for (const [reason, answer] of Object.entries(gateway.doubts)) {
    test(`C11: ${name}, ${reason}: the message may be on its way`, async (t) => {
      const at = await startGateway(t, gateway)
      at.answer = answer
      await failing(at.sendSms, gateway, { never: false, says: /may have sent the message: status \d{3}, code \w+$/ })
      assert.equal(at.messages.length, 1, 'it is not tried again')
    })
  }

  test(`C11: ${name}, no answer in ten seconds: the message may be on its way`, async (t) => {
    const at = await startGateway(t, gateway)
    const timer = new AbortController()
    const timeout = t.mock.method(AbortSignal, 'timeout', () => timer.signal)
    at.answer = () => {
      timer.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
      return undefined
    }
    await failing(at.sendSms, gateway, { never: false, says: /no answer: TimeoutError$/ })
    assert.deepEqual(timeout.mock.calls[0].arguments, [10_000])
    assert.equal(at.messages.length, 1)
  })

  test(`C11: ${name}, a connection that is cut: the message may be on its way`, async (t) => {
    const at = await startGateway(t, gateway)
    at.answer = (_message, connection) => void connection.resetAndDestroy()
    await failing(at.sendSms, gateway, { never: false, says: /no answer: (?:ECONNRESET|UND_ERR_SOCKET)$/ })
    assert.equal(at.messages.length, 1)
  })

  test(`C11: ${name}, an answer that is cut: the message may be on its way`, async (t) => {
    const at = await startGateway(t, gateway)
    at.answer = (message, connection) => {
      const { status, body } = gateway.accepts(message)
      connection.end(`HTTP/1.1 ${status} Created\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 20)}`)
      return undefined
    }
    await failing(at.sendSms, gateway, { never: false, says: /status 20[01], code none$/ })
  })

  test(`C11: ${name}, a refusal that is cut: the message never left`, async (t) => {
    const at = await startGateway(t, gateway)
    at.answer = (_message, connection) => {
      connection.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 100\r\n\r\n{')
      return undefined
    }
    await failing(at.sendSms, gateway, { never: true, says: /status 401/ })
  })

  test(`${name}: a redirect is not followed, and the message may be on its way`, async (t) => {
    const other = await startGateway(t, gateway)
    const at = await startGateway(t, gateway)
    at.answer = () => ({ status: 307, body: '', location: other.url })
    await failing(at.sendSms, gateway, { never: false, says: /status 307/ })
    assert.deepEqual([other.messages, other.wrong], [[], []])
  })

  test(`C11: ${name}, nobody listens there: the message never left`, async (t) => {
    const [port] = await freePorts(1)
    const { sendSms } = await startGateway(t, gateway, { address: `http://127.0.0.1:${port}` })
    await failing(sendSms, gateway, { never: true, says: /cannot be reached: ECONNREFUSED$/ })
  })

  test(`C11: ${name}, nobody listens at any address of the host: the message never left`, async (t) => {
    const [port] = await freePorts(1)
    const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }))
    addresses.push({ address: '::1', family: 6 })
    const { sendSms } = await startGateway(t, gateway, { address: `http://gateway.example:${port}` })
    t.mock.method(dns, 'lookup', (_host, _options, done) => done(null, addresses))
    await failing(sendSms, gateway, { never: true, says: /cannot be reached: E[A-Z]+$/ })
  })

  test(`C11: ${name}, a server without TLS: no message leaves, but the error is the ordinary one`, async (t) => {
    const at = await startGateway(t, gateway)
    const { sendSms } = await startGateway(t, gateway, { address: at.url.replace('http:', 'https:') })
    await failing(sendSms, gateway, { never: false, says: /no answer: [A-Z_]+$/ })
    assert.deepEqual([at.messages, at.wrong], [[], []])
  })

  test(`C11: ${name}, no such host: the message never left`, async (t) => {
    const { sendSms } = await startGateway(t, gateway, { address: 'http://gateway.invalid' })
    await failing(sendSms, gateway, { never: true, says: /cannot be reached: (?:ENOTFOUND|EAI_AGAIN)$/ })
  })

  test(`${name}: a request of another form is refused by the gateway of these tests`, async (t) => {
    const at = await startGateway(t, gateway)
    const answer = await fetch(at.url, { method: 'POST', body: 'Action=Publish' })
    assert.equal(answer.status, 400)
    assert.equal(at.wrong.length, 1)
  })

  for (const missing of Object.keys(gateway.settings).filter((key) => !/FROM|SENDER|TOKEN/.test(key))) {
    test(`${name}: without ${missing}, or with a line break in it, the service does not start`, async () => {
      const { [missing]: value, ...rest } = gateway.settings
      for (const given of [rest, { ...rest, [missing]: `${value}\n` }])
        await assert.rejects(load(gateway, given), { message: `set ${missing}, in one line of ASCII` })
    })
  }

  test(`${name}: a person sets up a phone, logs in, and asks again where a message never left`, async (t) => {
    const at = await startGateway(t, gateway)
    const { factor, clock, errors } = serviceWith(at.sendSms)
    const codeOf = ({ body }) => /#(\d{6})$/.exec(body)[1]
    const enrolling = { user: 'ann', session: 's1' }

    // The number is none for this gateway: three times the slot comes back, and no cool-down.
    at.answer = gateway.refusals['a number that is none']
    for (let time = 0; time < 3; time += 1) {
      const error = await factor.enrollSms({ ...enrolling, number: NUMBER }).catch((error) => error)
      assert.ok(
        CountersignError.is(error) && error.code === 'sms_not_sent' && SmsNeverLeft.is(error.cause),
        inspect(error),
      )
      assertTellsNothing(error, gateway, at.messages.at(-1))
    }

    at.answer = gateway.accepts
    const started = await factor.enrollSms({ ...enrolling, number: NUMBER })
    assert.equal(started.result, 'sms_sent')
    const confirmed = await factor.confirmSms({ ...enrolling, setup: started.setup, code: codeOf(at.messages.at(-1)) })
    assert.equal(confirmed.result, 'enrolled')
    clock.advance(3_600)

    const { result, ticket } = await factor.begin({ user: 'ann', session: 's2' })
    assert.equal(result, 'challenge')
    // The connection is cut: the slot is used, and the person waits for the cool-down.
    at.answer = (_message, connection) => void connection.resetAndDestroy()
    const asking = { ticket, session: 's2' }
    const error = await factor.sendSms(asking).catch((error) => error)
    assert.ok(
      CountersignError.is(error) && error.code === 'sms_not_sent' && !SmsNeverLeft.is(error.cause),
      inspect(error),
    )
    assertTellsNothing(error, gateway, at.messages.at(-1))
    at.answer = gateway.accepts
    assert.equal((await factor.sendSms(asking)).result, 'sms_refused')
    clock.advance(60)
    assert.equal((await factor.sendSms(asking)).result, 'sms_sent')
    const login = await factor.verify({ ...asking, newSession: 's3', method: 'sms', code: codeOf(at.messages.at(-1)) })
    assert.equal(login.result, 'verified')
    assert.deepEqual([errors, at.wrong], [[], []])
  })
}

test('Twilio: a messaging service sends in place of a number', async (t) => {
  const service = `MG${'0'.repeat(32)}`
  const at = await startGateway(t, GATEWAYS.Twilio, { settings: { TWILIO_FROM: service } })
  await at.sendSms(messageTo())
  assert.deepEqual([at.messages[0].from, at.wrong], [service, []])
})

test('Twilio: the validity of a message stays within what Twilio takes', async (t) => {
  const at = await startGateway(t, GATEWAYS.Twilio)
  for (const expiresAt of [0, 4_000_000_000]) await at.sendSms({ ...messageTo(), expiresAt })
  assert.deepEqual([at.messages.map(({ seconds }) => seconds), at.wrong], [[1, 36_000], []])
})

for (const [name, setting] of [
  ['ClickSend', 'CLICKSEND_FROM'],
  ['Amazon SNS', 'SNS_SENDER_ID'],
]) {
  test(`${name}: the sender may be left out`, async (t) => {
    const at = await startGateway(t, GATEWAYS[name], { settings: { [setting]: '' } })
    await at.sendSms(messageTo())
    assert.deepEqual([at.messages[0].from, at.wrong], [undefined, []])
  })
}

function serviceWith(sendSms) {
  const errors = []
  const clock = fixedClock()
  const policy = {
    v: 1,
    name: 'Acme',
    origin: 'https://login.acme.example',
    methods: ['sms', 'backup_code', 'recovery_code'],
  }
  const options = { keys: generateKeys(), store: memoryStore(), clock, onEffectError: (error) => errors.push(error) }
  return { clock, errors, factor: createSecondFactor({ policy, sendSms, ...options }) }
}
