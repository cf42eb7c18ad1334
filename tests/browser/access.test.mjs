// Pages for people who zoom, choose their own colours, want no motion, or read German.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passwords, startService } from '../e2e/support.mjs'
import { guideLook, Person, phoneLook } from './person.mjs'

/** Visits the pages of a set-up and a login, and calls `look` on each. */
async function visit(person, look) {
  await person.open('/login')
  await look('login')
  await person.logIn('owner')
  await look('home')
  await person.follow('Security')
  await look('security')
  await person.press('Set up the app')
  const secret = await person.page.locator('#key code').textContent()
  await look('set-up-app')
  await person.typeCode(person.codeOf(secret.replaceAll(' ', '')), 'Turn on')
  await look('codes')
  await person.press('I have saved them')
  await person.follow('Your activity')
  await look('activity')
  for (const path of ['/users', '/policy', '/audit']) {
    await person.open(path)
    await look(path.slice(1))
  }
  await person.logOut()
  await person.logIn('owner')
  await look('second-step')
  await person.typeCode('000000')
  await look('second-step-wrong')
}

for (const [name, width, height] of /** @type {const} */ ([
  ['200 %', 640, 400],
  ['400 %', 320, 256],
])) {
  test(`at a zoom of ${name} of a screen of 1280 × 1024 nothing is cut off or scrolls sideways`, async (t) => {
    const service = await startService(t)
    const person = await Person.open(t, service, { look: { ...phoneLook, name: `zoom-${width}`, width } })
    await person.page.setViewportSize({ width, height })
    await visit(person, async (page) => {
      const { inner, cut } = await person.page.evaluate(() => ({
        inner: document.documentElement.scrollWidth,
        cut: [...document.querySelectorAll('main button, main a, main input, main h1, main h2')]
          .filter((element) => element.checkVisibility() && !element.closest('.unseen'))
          .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
          .map((element) => element.outerHTML.slice(0, 80)),
      }))
      assert.ok(inner <= width, `${page} is ${inner} wide`)
      assert.deepEqual(cut, [], page)
    })
  })
}

test('in forced colours every button, field and notice keeps a border, and the QR code stays dark on white', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.page.emulateMedia({ forcedColors: 'active', colorScheme: 'dark' })
  await visit(person, async (page) => {
    await person.page.screenshot({ fullPage: true })
    const bare = await person.page.evaluate(() =>
      [
        ...document.querySelectorAll(
          'main button:not(.quiet), main input:not([type=hidden], [type=radio], [type=checkbox]), main select',
        ),
      ]
        .filter((element) => element.checkVisibility())
        .filter((element) => {
          const { borderTopWidth, borderTopStyle, outlineStyle } = getComputedStyle(element)
          return !(parseFloat(borderTopWidth) >= 1 && borderTopStyle !== 'none') && outlineStyle === 'none'
        })
        .map((element) => element.outerHTML.slice(0, 90)),
    )
    assert.deepEqual(bare, [], page)
    if (page === 'set-up-app') assert.match(await person.scan(), /^otpauth:\/\/totp\//)
  })
})

test('someone who wants no motion sees none', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.page.emulateMedia({ reducedMotion: 'reduce' })
  await visit(person, async (page) => {
    const moving = await person.page.evaluate(() =>
      [...document.querySelectorAll('*')]
        .filter((element) => {
          const { transitionDuration, animationName } = getComputedStyle(element)
          return animationName !== 'none' || transitionDuration.split(',').some((text) => parseFloat(text) > 0)
        })
        .map((element) => element.tagName),
    )
    assert.deepEqual(moving, [], page)
  })
})

test('P12: on a phone the page with the codes opens at its top', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service, { look: phoneLook })
  await person.logIn('member')
  await person.setUpApp()
  assert.equal(await person.page.evaluate(() => scrollY), 0)
  const { top } = await person.page
    .locator('h1')
    .boundingBox()
    .then((box) => ({ top: box.y }))
  assert.ok(top >= 0 && top < 300, `the heading is at ${top}`)
})

test('P13: the word SAMPLE stands within the picture of the policy page', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service)
  await person.logIn('owner')
  await person.open('/policy')
  await person.page.waitForFunction(() => document.querySelector('#preview').shadowRoot?.querySelector('svg text'))
  const fits = await person.page.evaluate(() => {
    const picture = document.querySelector('#preview').shadowRoot.querySelector('svg')
    const outer = picture.getBoundingClientRect()
    return [...picture.querySelectorAll('text')].every((text) => {
      const inner = text.getBoundingClientRect()
      return (
        inner.left >= outer.left && inner.right <= outer.right && inner.bottom <= outer.bottom && inner.top >= outer.top
      )
    })
  })
  assert.ok(fits)
})

test('the guide of an app, in German', async (t) => {
  const service = await startService(t)
  const person = await Person.open(t, service, { look: guideLook })
  const english = /\b(the|your|with|this|and|code from|log in|sign)\b/i
  const isGerman = async (name) => {
    const text = await person.page.locator('body').innerText()
    const found = text
      .replaceAll('English', '')
      .replace(/"[^"]*"/g, '')
      .match(english)
    assert.equal(found, null, `${name}: ${found?.[0]} in "${text.slice(0, 200)}"`)
    assert.equal(await person.page.locator('html').getAttribute('lang'), 'de')
    await person.looksRight(`german-${name}`)
  }
  await person.open('/login')
  await person.press('Deutsch')
  assert.equal(await person.heading(), 'Anmelden')
  await isGerman('login')
  await person.fill('E-Mail-Adresse', 'owner@acme.example')
  await person.fill('Passwort', passwords.owner)
  await person.press('Anmelden')
  await isGerman('home')
  await person.open('/security')
  await isGerman('security')
  await person.press(/App einrichten/)
  const secret = new URL(await person.scan()).searchParams.get('secret')
  await isGerman('set-up-app')
  const wrong = person.codeOf(secret) === '000000' ? '000001' : '000000'
  const typeCode = async (code) => {
    const arrived = person.page.waitForNavigation()
    await person.page.locator('#code').pressSequentially(code)
    await arrived
  }
  await typeCode(wrong)
  await person.reads(/Dieser Code stimmt nicht/)
  await isGerman('set-up-wrong')
  await typeCode(person.codeOf(secret))
  await isGerman('codes')
  await person.press('Ich habe sie aufbewahrt')
  for (const path of ['/security', '/security/activity', '/users', '/policy', '/audit']) {
    await person.open(path)
    await isGerman(path.slice(1).replace('/', '-'))
  }
  service.advance(60)
  await person.press('Abmelden')
  await person.fill('E-Mail-Adresse', 'owner@acme.example')
  await person.fill('Passwort', passwords.owner)
  await person.press('Anmelden')
  await isGerman('second-step')
  await typeCode(person.codeOf(secret))
  assert.equal(person.path, '/')
})
