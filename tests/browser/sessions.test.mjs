// Sessions, and the rules of a page that the browser itself enforces.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enrolledVisitor, startService } from '../e2e/support.mjs'
import { eventually } from '../shared/eventually.mjs'
import { Person } from './person.mjs'

const cookiesOf = (person) => person.page.context().cookies()

test('T18, T19: the session is new at both steps, no script reads it, and the password alone gives no access', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const person = await Person.open(t, service)
  await person.logIn('member')
  const [half, ...none] = await cookiesOf(person)
  assert.deepEqual(none, [])
  assert.deepEqual([half.name, half.httpOnly, half.sameSite], ['session', true, 'Lax'])
  assert.equal(await person.page.evaluate(() => document.cookie), '')
  for (const path of ['/', '/security', '/users', '/policy', '/audit']) {
    await person.open(path)
    assert.equal(person.path, '/login/second-step', path)
  }
  await person.typeCode(code())
  const full = await cookiesOf(person)
  assert.deepEqual(full.map(({ name }) => name).toSorted(), ['second-factor', 'session'])
  assert.ok(full.every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Lax'))
  assert.notEqual(full.find(({ name }) => name === 'session').value, half.value)
  assert.equal(await person.page.evaluate(() => document.cookie), '')

  // The session id from before the second step gives no access any more.
  const thief = await Person.open(t, service)
  await thief.page.context().addCookies([half])
  await thief.open('/security')
  assert.equal(thief.path, '/login')
})

test('T21: the pass of another user gives no access in a session', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const { code: ownersCode } = await enrolledVisitor(service, 'owner')
  const member = await Person.open(t, service)
  await member.logIn('member')
  await member.typeCode(code())
  const owner = await Person.open(t, service)
  await owner.logIn('owner')
  await owner.typeCode(ownersCode())
  const pass = (await cookiesOf(owner)).find(({ name }) => name === 'second-factor')
  await member.page.context().addCookies([pass])
  await member.open('/users')
  await member.reads(/Only an owner of the account can do this/)
})

test('T35: a link to the login page leads to no other site', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  for (const next of [
    '//evil.example',
    '/\\evil.example',
    '/%2f/evil.example',
    'https://evil.example',
    'javascript:alert(1)',
  ]) {
    await person.open(`/login?next=${encodeURIComponent(next)}`)
    await person.fill('E-mail address', 'member@acme.example')
    await person.fill('Password', 'member-demo-password')
    await person.press('Log in')
    assert.equal(person.page.url(), `${service.origin}/`, next)
    await person.logOut()
  }
  assert.deepEqual(person.troubles, [])
})

test('after a log-out the Back button shows nothing', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.logIn('owner')
  await person.follow('Users')
  await person.reads(/member@acme\.example/)
  await person.logOut()
  await person.page.goBack()
  assert.equal(person.path, '/login')
  await person.page.waitForLoadState()
  assert.equal(await person.heading(), 'Log in')
})

test('the Content-Security-Policy refuses an inline script, a style and a file of another site, and the tests notice it', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.open('/login')
  await person.looksRight('login')
  await person.page.evaluate(() => {
    const add = (name, properties) => document.body.append(Object.assign(document.createElement(name), properties))
    add('script', { textContent: 'window.wasRun = true' })
    add('img', { src: 'https://evil.example/x.png' })
    document.body.setAttribute('style', 'color: red')
    document.body.setAttribute('onclick', 'window.wasRun = true')
    document.body.click()
  })
  await eventually(async () => {
    const seen = await person.page.evaluate(() => [...new Set(window.violations.map((each) => each.split(' ')[0]))])
    assert.deepEqual(seen.toSorted(), ['img-src', 'script-src-attr', 'script-src-elem', 'style-src-attr'])
  })
  assert.equal(await person.page.evaluate(() => window.wasRun), undefined)
  await assert.rejects(person.looksRight('login-attacked'), /Content-Security-Policy was violated/)
})

test('no page may be shown inside another', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.open('/outbox')
  await person.page.route('**/frame', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<iframe src="/login"></iframe>' }),
  )
  await person.open('/frame')
  assert.equal(person.page.frames().length, 2)
  // The browser shows an error page of its own in the frame.
  await eventually(() => assert.match(person.page.frames()[1].url(), /^(chrome-error:|about:neterror\?e=cspBlocked)/))
  assert.equal(await person.page.frames()[1].locator('#email').count(), 0)
})
