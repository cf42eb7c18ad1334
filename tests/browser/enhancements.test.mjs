// The pages' scripts: the field for a code, waits, copying, times, the preview.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enrolledVisitor, passwords, startService, Visitor } from '../e2e/support.mjs'
import { eventually } from '../shared/eventually.mjs'
import { Person } from './person.mjs'
import { allowClipboard, testInChromium } from './support.mjs'

/** A person at the second step of a login, and the code of their app. */
async function atSecondStep(t, options) {
  const service = await startService(t)
  const enrolled = await enrolledVisitor(service, 'member')
  const person = await Person.open(t, service, options)
  await person.logIn('member')
  assert.equal(person.path, '/login/second-step')
  return { service, person, ...enrolled }
}

/** Counts the POST requests to a path. */
function countPosts(page, path) {
  const counted = { posts: 0 }
  page.on('request', (request) => {
    if (request.method() === 'POST' && new URL(request.url()).pathname === path) counted.posts += 1
  })
  return counted
}

/** Makes one more request from the page. When it has ended, all earlier requests are counted. */
const requestsAreSeen = (page) => page.evaluate(() => fetch('/login').then((answer) => answer.text()))

test('a pasted `123 456` is sent at once, and only once', async (t) => {
  const { person, code, service } = await atSecondStep(t)
  const { page } = person
  const counted = countPosts(page, '/login/second-step')
  const digits = code()
  await allowClipboard(page, service.origin)
  await page.evaluate((text) => navigator.clipboard.writeText(text), ` ${digits.slice(0, 3)}\u00a0${digits.slice(3)}\n`)
  await page.locator('#code').focus()
  await Promise.all([page.waitForURL(`${service.origin}/`), page.keyboard.press('Control+V')])
  assert.equal(counted.posts, 1)
})

test('the form is sent once, with the sixth digit, and not while a digit is deleted', async (t) => {
  const { person, code } = await atSecondStep(t)
  const { page } = person
  const counted = countPosts(page, '/login/second-step')
  const wrong = code() === '111111' ? '222222' : '111111'
  const field = page.locator('#code')
  await field.pressSequentially('11111')
  await requestsAreSeen(page)
  assert.equal(counted.posts, 0)
  // Seven digits by mistake, and the last one deleted: the person may look at the rest before sending it.
  await field.evaluate((input) => (input.value = '1111117'))
  await field.press('End')
  await field.press('Backspace')
  await requestsAreSeen(page)
  assert.equal(await field.inputValue(), '111111')
  assert.equal(counted.posts, 0)
  await field.fill('')
  // The answer comes late. Enter pressed meanwhile is no second try.
  let answer
  const held = new Promise((resolve) => {
    answer = resolve
  })
  await page.route('**/login/second-step', async (route) => {
    await held
    await route.continue()
  })
  const sent = page.waitForRequest('**/login/second-step')
  await field.pressSequentially(wrong)
  await sent
  await page.keyboard.press('Enter')
  answer()
  await page.getByRole('alert').waitFor()
  assert.equal(counted.posts, 1)
  await person.reads(/That code is not right/)
  await person.typeCode(code())
  assert.equal(await person.heading(), 'Welcome, member@acme.example')
})

testInChromium('WebOTP: where the browser offers it, the code of the SMS fills itself in', async (t) => {
  const service = await startService(t)
  const visitor = new Visitor(service)
  await visitor.logIn('member')
  await visitor.json('/api/security/sms', { number: '0412 345 678' })
  const sms = async () => /\b\d{6}\b/.exec((await visitor.json('/api/outbox')).messages[0].message)[0]
  assert.equal((await visitor.json('/api/security/sms/confirm', { code: await sms() })).result, 'enrolled')
  service.advance(60)

  const person = await Person.open(t, service)
  await person.page.addInitScript(() => {
    // As in Chrome on Android: the browser waits for an SMS that ends with this site's name and the code.
    window.OTPCredential = class {}
    navigator.credentials.get = ({ otp, signal }) =>
      new Promise((resolve, reject) => {
        if (otp.transport[0] !== 'sms') reject(new Error('not for SMS'))
        signal.addEventListener('abort', () => reject(signal.reason))
        window.smsArrives = (code) => resolve({ id: '', type: 'otp', code })
      })
  })
  await person.logIn('member')
  await person.press('Send me a code')
  const code = await sms()
  const arrived = person.page.waitForURL(`${service.origin}/`)
  await person.page.evaluate((text) => window.smsArrives(text), code)
  await arrived
  assert.deepEqual(person.troubles, [])
})

test('another SMS: the button shows the wait, cannot be pressed until its end, announces it, and keeps its place', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.logIn('member')
  await person.follow('Security')
  await person.unfold('Set up SMS')
  await person.fill('Australian mobile number', '0412 345 678')
  // The page's clock moves only when the test moves it.
  await person.page.clock.install({ time: 0 })
  await person.page.clock.pauseAt(1_000)
  await person.press('Send code')
  const counted = countPosts(person.page, '/security/sms')
  const again = person.button(/^Send another code/)
  const box = await again.boundingBox()
  assert.equal(await again.getAttribute('aria-disabled'), 'true')
  assert.match(await again.textContent(), /in 0:30/)
  await again.click({ force: true })
  await again.press('Enter')
  await person.page.clock.runFor(10_000)
  assert.equal(counted.posts, 0)
  assert.match(await again.textContent(), /in 0:20/)
  await person.page.clock.runFor(21_000)
  assert.equal(await again.getAttribute('aria-disabled'), null)
  assert.equal((await again.textContent()).trim(), 'Send another code')
  assert.match(await person.page.locator('#announce').textContent(), /Send another code: possible now/)
  assert.deepEqual(await again.boundingBox(), box, 'the button keeps its place and size')
  await person.page.clock.resume()
  await person.looksRight('set-up-sms-waited')
  service.advance(31)
  await person.press('Send another code')
  await person.reads(/We sent a code to/)
})

test('the key and the codes are copied without their spaces, and a screen reader is told', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  const { page } = person
  await allowClipboard(page, service.origin)
  const copied = () => page.evaluate(() => navigator.clipboard.readText())
  await person.logIn('member')
  await person.follow('Security')
  await person.press('Set up the app')
  // The page's clock stands still, so that the button keeps its new text while the test reads it.
  await page.clock.install({ time: 0 })
  await page.clock.pauseAt(1_000)
  await person.button('Copy the key').click()
  await person.button('Copied the key').waitFor()
  await page.clock.runFor(100)
  await page.locator('#announce', { hasText: 'Copied.' }).waitFor({ state: 'attached' })
  await page.clock.resume()
  const secret = new URL(await person.scan()).searchParams.get('secret')
  assert.equal(await copied(), secret)
  await person.looksRight('set-up-app-copied')

  await person.typeCode(person.codeOf(secret), 'Turn on')
  await person.button('Copy the codes').click()
  await page.locator('#announce', { hasText: 'Copied.' }).waitFor({ state: 'attached' })
  assert.deepEqual((await copied()).split('\n'), await person.codes())

  // A page that may not copy selects the text, and the person copies it by keyboard.
  await page.evaluate(() => (navigator.clipboard.writeText = () => Promise.reject(new Error('no'))))
  await person.button('Copy the codes').click()
  await page.locator('#announce', { hasText: 'Selected' }).waitFor({ state: 'attached' })
  assert.ok((await page.evaluate(() => getSelection().toString())).includes((await person.codes())[0]))
})

test('a password is shown and hidden by the button beside it, and sent hidden', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.open('/login')
  const field = person.page.locator('#password')
  const button = person.button(/^Show/)
  const state = async () => [await field.getAttribute('type'), await button.getAttribute('aria-pressed')]
  assert.equal(await button.getAttribute('aria-controls'), 'password')
  assert.deepEqual(await state(), ['password', 'false'])
  await person.fill('E-mail address', 'member@acme.example')
  await field.fill('not the password')
  await button.click()
  assert.deepEqual(await state(), ['text', 'true'])
  assert.equal(await field.inputValue(), 'not the password')
  assert.equal(await field.getAttribute('autocomplete'), 'current-password')
  await person.looksRight('login-password-shown')
  await button.press('Enter')
  assert.deepEqual(await state(), ['password', 'false'])
  await button.press('Space')
  // The type at the time at which a password manager looks.
  await field.evaluate((/** @type {HTMLInputElement} */ input) =>
    document.addEventListener('submit', () => sessionStorage.setItem('type', input.type)),
  )
  await field.press('Enter')
  await person.reads(/password is not right/)
  assert.equal(await person.page.evaluate(() => sessionStorage.getItem('type')), 'password')

  // A change of the language keeps the typed text, but no password, be it shown or not.
  await field.fill('a secret')
  await button.click()
  await person.press('Deutsch')
  assert.equal(await field.inputValue(), '')
  assert.deepEqual([await field.getAttribute('type')], ['password'])
  assert.ok(await person.button(/^Anzeigen/).isVisible())
})

test('times are shown in the reader’s own zone, with the UTC time in the title', async (t) => {
  const service = await startService(t)
  await enrolledVisitor(service, 'member')
  const person = await Person.open(t, service, { timezone: 'Australia/Sydney' })
  await person.open('/outbox')
  const time = person.page.locator('.messages time').first()
  assert.equal(await time.getAttribute('datetime'), '2027-01-15T08:00:00.000Z')
  assert.equal(await time.getAttribute('title'), '15 Jan 2027, 08:00 UTC')
  assert.equal(await time.textContent(), '15 Jan 2027, 19:00 AEDT', 'with the zone said')
})

test('a search of the audit log takes days in the reader’s own zone, in which its rows are', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service, { timezone: 'Australia/Sydney' })
  const { page } = person
  await person.logIn('owner')
  await person.follow('Audit')
  await person.reads(/Days and times are those of Australia\/Sydney\./)
  const rows = () => page.locator('tbody time').allTextContents()
  const [time] = await rows()
  assert.match(time, /^15 Jan 2027, 19:00 AEDT$/)
  // In Sydney the day begins at 13:00 UTC.
  await person.fill('From the day', '2027-01-15')
  await person.fill('To the day', '2027-01-15')
  await person.press('Search')
  assert.match(page.url(), /zone=Australia%2FSydney/)
  await person.focusIsOn(page.getByRole('heading', { name: 'Events' }))
  await person.reads(/Days and times are those of Australia\/Sydney\./)
  assert.equal((await rows())[0], time)
  await person.looksRight('audit-days')
  await person.fill('IP address or network', 'banana')
  await person.press('Search')
  await person.focusIsOn(page.getByLabel('IP address or network'))
  await person.looksRight('audit-no-address')
  await person.follow('Show all')
  assert.doesNotMatch(page.url(), /zone/)
})

test('B1: the preview for the administrator follows the typed name, is marked as a sample, and sends nothing', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  const { page } = person
  await person.logIn('owner')
  await person.follow('Policy')
  await page.waitForFunction(() => document.querySelector('#preview').shadowRoot?.querySelector('svg'))
  const first = new URL(await person.scan('#preview'))
  assert.equal(first.searchParams.get('issuer'), 'Acme')
  assert.equal(decodeURIComponent(first.pathname).split(':').at(-1), 'owner@acme.example')
  const requests = []
  page.on('request', (request) => requests.push(request.url()))
  await page.getByLabel('Name of this account', { exact: true }).fill('Bravo & Sons')
  const second = await eventually(async () => {
    const read = new URL(await person.scan('#preview'))
    assert.equal(read.searchParams.get('issuer'), 'Bravo & Sons')
    return read
  })
  assert.equal(
    second.searchParams.get('secret'),
    first.searchParams.get('secret'),
    'T14: a sample, never a secret to enroll',
  )
  assert.deepEqual(requests, [])
  await person.reads(/The QR code is a sample/)
  await person.looksRight('policy-preview')
})

test('the next QR code has the name that the owner chose', async (t) => {
  const service = await startService(t)
  const owner = await Person.open(t, service)
  await owner.logIn('owner')
  await owner.follow('Policy')
  await owner.fill('Name of this account', 'Bravo & Sons')
  await owner.press('See what this changes')
  await owner.press('Save')
  const member = await Person.open(t, service)
  await member.logIn('member')
  await member.follow('Security')
  await member.press('Set up the app')
  assert.equal(new URL(await member.scan()).searchParams.get('issuer'), 'Bravo & Sons')
})

test('the QR code of a set-up is drawn in the page itself, from the URI that the server gave', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.logIn('member')
  await person.follow('Security')
  const files = []
  person.page.on('request', (request) => files.push(new URL(request.url()).pathname.split('/').at(-1)))
  await person.press('Set up the app')
  await person.page.waitForFunction(() => document.querySelector('second-factor-qr').shadowRoot?.querySelector('svg'))
  assert.ok(files.includes('countersign.wasm'))
  const uri = await person.page.locator('second-factor-qr').getAttribute('uri')
  assert.equal(await person.scan(), uri)
  await person.looksRight('set-up-app-drawn')
})

test('the picture from the server stays where the WebAssembly cannot be loaded', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.page.route('**/countersign.wasm', (route) => route.fulfill({ status: 500, body: '' }))
  await person.logIn('member')
  await person.follow('Security')
  await person.page.addInitScript(() =>
    // Listens in the capture phase, because this event does not bubble.
    addEventListener(
      'error',
      ({ target }) => (window.notDrawn ||= /** @type {Element} */ (target).localName === 'second-factor-qr'),
      true,
    ),
  )
  await person.press('Set up the app')
  await person.page.waitForFunction(() => window.notDrawn)
  assert.equal(await person.scan(), await person.page.locator('second-factor-qr').getAttribute('uri'))
  assert.ok(await person.page.locator('second-factor-qr img').isVisible())
})

test('T20: the demo has buttons that log in with one click; a real service has none', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.open('/login?next=/security')
  await person.press(/^colleague@acme\.example/)
  assert.equal(person.path, '/security')
  const real = await startService(t, { env: { PUBLIC_ORIGIN: 'https://login.example' } })
  const answer = await new Visitor(real).page('/login')
  assert.doesNotMatch(answer.text, /demo|outbox|acme\.example/i)
  for (const password of Object.values(passwords)) assert.ok(!answer.text.includes(password))
})
