// P2: reload, Back, Forward, the address bar and a second tab lead on from every page, and cost no code, no attempt and no SMS.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countSms, startService, Visitor } from '../e2e/support.mjs'
import { Person } from './person.mjs'
import { testInChromium } from './support.mjs'

/** Counts the things that navigation must not change: messages, codes, apps and phones. */
async function costs({ service, visitor }) {
  const events = service
    .database((db) => db.prepare('SELECT event FROM events').pluck().all())
    .map((text) => JSON.parse(text))
  const count = (...kinds) =>
    events.filter(({ event }) => kinds.includes(event)).reduce((sum, { times = 1 }) => sum + times, 0)
  return {
    sms: await countSms(visitor),
    codes: count('code_refused', 'code_accepted', 'code_repeated', 'setup_code_refused'),
    setUps: count(
      'enrollment_started',
      'factor_added',
      'factor_removed',
      'backup_codes_made',
      'recovery_code_issued',
      'reset',
    ),
  }
}

/** The pages of a person, each with the way to it. A page is known by its heading. */
const pages = {
  'the login': { heading: 'Log in', arrive: (person) => person.open('/login') },
  'the login after a wrong password': {
    heading: 'Log in',
    async arrive(person) {
      await person.open('/login')
      await person.fill('E-mail address', 'member@acme.example')
      await person.fill('Password', 'wrong')
      await person.press('Log in')
    },
  },
  home: { heading: /^Welcome/, arrive: (person) => person.logIn('member') },
  security: { heading: 'Security', arrive: (person) => logInTo(person, '/security') },
  activity: { heading: 'Your activity', arrive: (person) => logInTo(person, '/security/activity') },
  'the set-up of an app': {
    heading: 'Set up your app',
    async arrive(person) {
      await logInTo(person, '/security')
      await person.press('Set up the app')
    },
  },
  'the set-up of an app after a wrong code': {
    heading: 'Set up your app',
    async arrive(person) {
      await pages['the set-up of an app'].arrive(person)
      await wrongCode(person, 'Turn on')
    },
  },
  'the set-up of SMS': {
    heading: 'Set up SMS',
    async arrive(person) {
      await logInTo(person, '/security')
      await person.unfold('Set up SMS')
      await person.fill('Australian mobile number', '0412 345 678')
      await person.press('Send code')
    },
  },
  'the set-up of SMS after a wrong code': {
    heading: 'Set up SMS',
    async arrive(person) {
      await pages['the set-up of SMS'].arrive(person)
      await wrongCode(person, 'Turn on')
    },
  },
  'a number that was refused': {
    heading: 'Set up SMS',
    async arrive(person) {
      await logInTo(person, '/security')
      await person.unfold('Set up SMS')
      await person.fill('Australian mobile number', '0412 345 67')
      await person.press('Send code')
    },
  },
  'new backup codes': {
    heading: 'Two-factor authentication is on',
    async arrive(person) {
      await person.logIn('member')
      await person.setUpApp()
    },
  },
  'the second step': {
    heading: 'Second step',
    async arrive(person) {
      await enrolled(person)
    },
  },
  'the second step after a wrong code': {
    heading: 'Second step',
    async arrive(person) {
      await enrolled(person)
      await wrongCode(person, 'Log in')
    },
  },
  'the second step by SMS': {
    heading: 'Second step',
    async arrive(person) {
      await pages['the set-up of SMS'].arrive(person)
      await person.typeCode(await person.readSms(), 'Turn on')
      person.service.advance(60)
      await person.logOut()
      await person.logIn('member')
      await person.press('Send me a code')
    },
  },
  'the question for a code again': {
    heading: 'Confirm it is you',
    async arrive(person) {
      await pages['new backup codes'].arrive(person)
      await person.press('I have saved them')
      await person.follow('Show codes')
    },
  },
  'the set-up of a first factor': {
    heading: 'Set up a second factor',
    async arrive(person) {
      forceFirstFactor(person)
      await person.logIn('member')
    },
  },
  'the app as a first factor': {
    heading: 'Set up your app',
    async arrive(person) {
      forceFirstFactor(person)
      await person.logIn('member')
      await person.press('Set up the app')
    },
  },
}

async function logInTo(person, path) {
  await person.logIn('member')
  await person.open(path)
}

async function enrolled(person) {
  await person.logIn('member')
  await person.setUpApp()
  await person.logOut()
  await person.logIn('member')
}

const wrongCode = (person, button) => person.typeCode('000000', button)

const forceFirstFactor = ({ service }) =>
  service.database((db) => db.prepare(`UPDATE accounts SET require = '"everyone"', first_factor = 'password'`).run())

/** The ways to navigate. The page after each must be the same. */
const actions = {
  'a reload': ({ page }) => page.reload(),
  'Back and Forward': async ({ page }) => {
    await page.goBack()
    await page.goForward()
  },
  'the address bar': (person) => person.open(new URL(person.page.url()).pathname + new URL(person.page.url()).search),
  'a second tab': async (person) => {
    const tab = await person.page.context().newPage()
    await tab.goto(person.page.url())
    const heading = await tab.locator('h1').textContent()
    await tab.close()
    assert.equal(heading, await person.heading())
  },
}

/** The text of the page, without the seconds that a wait still takes. */
const textOf = async ({ page }) => (await page.locator('main').innerText()).replace(/\bin \d:\d\d/, 'in …')

for (const [name, { heading, arrive }] of Object.entries(pages)) {
  test(`P2: ${name}: ${Object.keys(actions).join(', ')}`, async (t) => {
    const service = await startService(t)
    const visitor = new Visitor(service)
    const person = await Person.open(t, service)
    await arrive(person)
    const isHere = async (action) => {
      const here = await person.heading()
      assert.ok(typeof heading === 'string' ? here === heading : heading.test(here), `${action} leads to "${here}"`)
    }
    await isHere('the way')
    const before = await costs({ service, visitor })
    const text = await textOf(person)
    for (const [action, act] of Object.entries(actions)) {
      await act(person)
      await isHere(action)
      assert.equal(await textOf(person), text, `${action} shows the same`)
      assert.deepEqual(await costs({ service, visitor }), before, `${action} costs nothing`)
    }
    assert.deepEqual(person.troubles, [])
  })

  // The server's part alone, so one browser is enough.
  testInChromium(`P2: ${name}: the session ends meanwhile, and the page leads on from the login`, async (t) => {
    const service = await startService(t)
    const person = await Person.open(t, service)
    await arrive(person)
    const before = await costs({ service, visitor: new Visitor(service) })
    service.database((db) => db.prepare('DELETE FROM login_sessions').run())
    await person.page.reload()
    assert.equal(await person.heading(), 'Log in')
    assert.deepEqual(await costs({ service, visitor: new Visitor(service) }), before)
    assert.deepEqual(person.troubles, [])
  })
}
