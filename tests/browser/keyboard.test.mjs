// Uses the pages by keyboard alone, and reads them as a screen reader does.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enrolledVisitor, startService } from '../e2e/support.mjs'
import { eventually } from '../shared/eventually.mjs'
import { Person, phoneLook, plainLook } from './person.mjs'
import { inFirefox } from './support.mjs'

/** The accessible name of the focused element, or its text. */
const focused = (page) =>
  page.evaluate(() => {
    const { activeElement: element } = document
    return (
      element.getAttribute('aria-label') ??
      element.labels?.[0]?.textContent.trim().replace(/\s+/g, ' ') ??
      element.textContent.trim().replace(/\s+/g, ' ')
    )
  })

/** Waits for the focus: a browser applies `autofocus` at the first rendering, perhaps after the load event. */
const focusComesTo = (page, name) => eventually(async () => assert.equal(await focused(page), name))

/** Waits until the field has the focus, then types. Keys typed earlier would reach no field. */
async function typeInto(page, name, text) {
  await focusComesTo(page, name)
  await page.keyboard.type(text)
}

/** Logs in on the login page, whose first field has the focus. */
async function logInByKeyboard(page) {
  await typeInto(page, 'E-mail address', 'member@acme.example')
  await page.keyboard.press('Tab')
  await typeInto(page, 'Password', 'member-demo-password')
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
}

/** Types a code; its last digit sends the form. */
const typeCode = (page, name, code) => Promise.all([page.waitForNavigation(), typeInto(page, name, code)])

/** Presses Tab, or Shift and Tab, until the element called `name` has the focus. The focus must be visible at every stop. */
async function tabTo(person, name, key = 'Tab') {
  const { page } = person
  const passed = []
  for (let i = 0; i < 60; i += 1) {
    const here = await focused(page)
    if (typeof name === 'string' ? here === name : name.test(here)) return passed
    await page.keyboard.press(key)
    passed.push(await focused(page))
    const seen = await page.evaluate(() => {
      const { activeElement: element } = document
      if (element === document.body) return { ring: true, inView: true }
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      const { top, bottom, left, right } = element.getBoundingClientRect()
      return {
        ring: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
        inView: bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
      }
    })
    assert.deepEqual(seen, { ring: true, inView: true }, `the focus is visible at "${passed.at(-1)}"`)
  }
  assert.fail(`"${name}" cannot be reached; only ${passed.join(' → ')}`)
}

async function pressWithKey(person, name, key = 'Enter') {
  await tabTo(person, name)
  await Promise.all([person.page.waitForNavigation(), person.page.keyboard.press(key)])
}

for (const look of inFirefox ? [plainLook] : [plainLook, phoneLook]) {
  test(`set up an app, keep the codes, log out and in, turn it off: no mouse (${look.name})`, async (t) => {
    const service = await startService(t)
    const person = await Person.open(t, service, { look })
    const { page } = person
    const { keyboard } = page
    await person.open('/login')
    await logInByKeyboard(page)

    await pressWithKey(person, 'Security')
    await pressWithKey(person, 'Set up the app')
    await tabTo(person, 'Copy the key')
    const secret = new URL(await page.locator('second-factor-qr').getAttribute('uri')).searchParams.get('secret')
    await tabTo(person, 'Code from your app')
    await typeCode(page, 'Code from your app', person.codeOf(secret))
    service.advance(30)
    await tabTo(person, 'Download as text')
    const [file] = await Promise.all([page.waitForEvent('download'), keyboard.press('Enter')])
    assert.equal(file.suggestedFilename(), 'backup-codes.txt')
    await pressWithKey(person, 'I have saved them')

    // The notice on top of the page has the focus, and the header is above it.
    await tabTo(person, 'Log out', 'Shift+Tab')
    await Promise.all([page.waitForNavigation(), keyboard.press('Enter')])
    await logInByKeyboard(page)
    await typeCode(page, 'Code from your authenticator app', person.codeOf(secret))
    service.advance(301)

    await pressWithKey(person, 'Security')
    await tabTo(person, 'Turn off…')
    await keyboard.press('Space')
    await pressWithKey(person, 'Turn off the app', 'Space')
    await focusComesTo(page, 'Continue')
    await Promise.all([page.waitForNavigation(), keyboard.press('Enter')])
    await typeCode(page, 'Code from your authenticator app', person.codeOf(secret))
    // Back on the page that asked for the factor.
    await focusComesTo(page, 'Turn off the app')
    await Promise.all([page.waitForNavigation(), keyboard.press('Enter')])
    await person.reads(/Two-factor authentication is off/)
  })
}

test('the first stop of the Tab key is a link past the navigation', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.logIn('owner')
  await person.open('/policy')
  await person.page.keyboard.press('Tab')
  assert.equal(await focused(person.page), 'Skip to the content')
  await person.page.keyboard.press('Enter')
  await person.page.waitForURL(/#/)
  await person.page.keyboard.press('Tab')
  assert.match(await focused(person.page), /^Nobody: each person decides/)
})

test('a screen reader reads errors at once and at the field, the current page in the navigation, and the user of a button', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'member')
  const person = await Person.open(t, service)
  const { page } = person
  await person.logIn('member')
  await person.typeCode(code() === '000000' ? '000001' : '000000')
  assert.equal(await page.title(), 'Error: Second step – Acme')
  assert.match(await page.getByRole('alert').textContent(), /That code is not right/)
  const field = page.getByRole('textbox', { name: 'Code from your authenticator app' })
  assert.equal(await field.getAttribute('aria-invalid'), 'true')
  assert.deepEqual(
    await field.evaluate((input) => {
      const parts = input.getAttribute('aria-describedby').split(' ')
      return parts.map(
        (id) => document.getElementById(id).getAttribute('role') ?? document.getElementById(id).textContent,
      )
    }),
    ['alert', 'It is sent as soon as the sixth digit is in.'],
    'P15: the error, and that it sends itself',
  )
  await focusComesTo(page, 'Code from your authenticator app')
  await person.typeCode(code())
  await person.follow('Security')
  assert.equal(await page.getByRole('link', { name: 'Security' }).getAttribute('aria-current'), 'page')

  const owner = await Person.open(t, service, { look: phoneLook })
  await owner.logIn('owner')
  await owner.setUpApp()
  await owner.open('/users')
  // On a phone the rows look like cards, but are still a table.
  const row = owner.page.getByRole('table', { name: 'People' }).getByRole('row', { name: /member@acme/ })
  assert.equal(await row.getByRole('rowheader').count(), 1)
  assert.equal(await row.getByRole('cell').count(), 3)
  assert.equal(await row.getByRole('button', { name: 'Generate recovery code for member@acme.example' }).count(), 1)
})

test('on the narrowest screen, 320 px, or with everything at four times its size, nothing is cut off', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service, { look: { name: 'narrowest', scheme: 'light', width: 320 } })
  await person.logIn('owner')
  for (const path of ['/', '/security', '/users', '/policy', '/audit', '/outbox', '/login']) {
    await person.open(path)
    const [inner, outer] = await person.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    assert.ok(inner <= outer, `${path} is ${inner} wide`)
  }
})

test('every target is at least 24 px high and wide, but for links in sentences', async (t) => {
  const service = await startService(t)
  const { code } = await enrolledVisitor(service, 'owner')
  const person = await Person.open(t, service, { look: phoneLook })
  await person.logIn('owner')
  const tooSmall = () =>
    person.page.evaluate(() =>
      [...document.querySelectorAll('a, button, input:not([type="hidden"]), summary, textarea')]
        .filter((element) => element.checkVisibility() && !element.closest('p, td') && !element.matches('.skip'))
        .map((element) => ({
          html: element.outerHTML.slice(0, 80),
          box: (element.closest('label') ?? element).getBoundingClientRect(),
        }))
        .filter(({ box }) => box.height < 24 || box.width < 24)
        .map(({ html }) => html),
    )
  assert.deepEqual(await tooSmall(), [], 'second step')
  await person.typeCode(code())
  for (const path of ['/', '/security', '/users', '/policy', '/login']) {
    await person.open(path)
    assert.deepEqual(await tooSmall(), [], path)
  }
})
