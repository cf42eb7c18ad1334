// A person at a browser. `looksRight` checks a page: axe finds nothing, its Content-Security-Policy is not violated, no
// script fails, nothing jumps, and nothing is wider than the screen. Firefox has no axe here, and does not tell of jumps.

import assert from 'node:assert/strict'
import { authenticatorCode, passwords } from '../e2e/support.mjs'
import { eventually } from '../shared/eventually.mjs'
import { inFirefox, newPage, noViolations, screenshot, zbar } from './support.mjs'

export const looks = [
  { name: 'light', scheme: 'light', width: 1200 },
  { name: 'dark', scheme: 'dark', width: 1200 },
  { name: 'phone', scheme: 'light', width: 360 },
]
export const [plainLook, darkLook, phoneLook] = looks

/**
 * The look in which every guide is followed, and those in which each of its pages is looked at as well. Firefox gets one, because it
 * shows them by the same style sheet.
 */
export const guideLook = inFirefox ? plainLook : { ...phoneLook, also: [plainLook, darkLook] }

export class Person {
  /** @type {string[]} */
  troubles = []
  /** @type {import('playwright-core').Page} */
  page
  /** @type {Awaited<ReturnType<typeof import('../e2e/support.mjs').startService>>} */
  service
  /** @type {{ name: string, scheme: string, width: number, also?: typeof looks }} */
  look = plainLook
  javaScript = true

  /** @param {{ look?: any, ip?: string, javaScript?: boolean, timezone?: string }} [options] */
  static async open(t, service, options = {}) {
    const { look = plainLook, ip = '192.0.2.10', javaScript = true, timezone = 'UTC' } = options
    const person = new Person()
    const page = await newPage(t, {
      scheme: look.scheme,
      width: look.width,
      height: 800,
      javaScript,
      timezone,
      headers: { 'x-forwarded-for': ip },
    })
    Object.assign(person, { service, look, page, javaScript })
    page.on('pageerror', (error) => person.troubles.push(`script: ${error.message}`))
    page.on('console', (message) => {
      // The console reports a page with status 4xx as an error, though it is the right answer.
      if (
        message.type() !== 'error' ||
        message.text().startsWith('Failed to load resource: the server responded with a status of 4')
      )
        return
      person.troubles.push(`console: ${message.text()}`)
    })
    page.on('requestfailed', (request) => {
      // A request that a click or the next page ended, in the words of Chromium and of Firefox.
      if (!['net::ERR_ABORTED', 'NS_BINDING_ABORTED'].includes(request.failure().errorText))
        person.troubles.push(`request: ${request.url()} ${request.failure().errorText}`)
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(service.origin) && !request.url().startsWith('data:'))
        person.troubles.push(`another site was asked: ${request.url()}`)
    })
    await page.addInitScript(() => {
      window.violations = []
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        window.violations.push(`${violatedDirective} ${blockedURI}`),
      )
      window.shifts = []
      new PerformanceObserver((list) => {
        for (const { value, sources, hadRecentInput } of list.getEntries())
          if (!hadRecentInput)
            window.shifts.push(
              `${value}: ${sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? node?.textContent).join(' | ')}`,
            )
      }).observe({ type: 'layout-shift', buffered: true })
    })
    return person
  }

  open(path) {
    return this.page.goto(this.service.origin + path)
  }

  get path() {
    return new URL(this.page.url()).pathname
  }

  /** A button by its name, or itself. */
  button(name) {
    if (typeof name === 'object' && !(name instanceof RegExp)) return name
    return this.page.getByRole('button', { name, exact: typeof name === 'string' })
  }

  /** Presses a button that leads to another page, or a link. */
  press(name) {
    return this.#leads(() => this.button(name).click())
  }

  follow(name) {
    return this.#leads(() => this.page.getByRole('link', { name, exact: typeof name === 'string' }).click())
  }

  /** Opens the `<details>` with this `<summary>`. */
  async unfold(text, within = this.page) {
    await within.locator('summary', { hasText: text }).click()
  }

  fill(label, value) {
    return this.page.getByLabel(label, { exact: true }).fill(value)
  }

  /** With a script, the last digit sends the form; without one, the button does. */
  async typeCode(code, button = 'Log in') {
    await this.page.waitForLoadState() // before its end the page may have no script yet
    await this.#leads(async () => {
      await this.page.locator('#code, #long_code').pressSequentially(code)
      if (!this.javaScript || !/^\d+$/.test(code)) await this.button(button).click()
    })
  }

  async #leads(action) {
    const arrived = this.page.waitForNavigation()
    await Promise.all([arrived, action()])
  }

  heading() {
    return this.page.locator('h1').textContent()
  }

  async reads(pattern) {
    const text = await this.page.locator('main').innerText()
    assert.match(text, pattern)
    return pattern.exec(text)
  }

  async doesNotRead(pattern) {
    assert.doesNotMatch(await this.page.locator('main').innerText(), pattern)
  }

  /** Waits for the focus: a browser applies `autofocus` at the first rendering, perhaps after the load event. */
  focusIsOn(locator) {
    return eventually(async () =>
      assert.ok(await locator.evaluate((element) => element === document.activeElement), `${locator} has the focus`),
    )
  }

  /** Checks the rules for every page, and takes a screenshot named after `name` and the look; then the same in the looks beside it. */
  async looksRight(name) {
    const { look, page } = this
    await this.#looksRightAs(name, look)
    if (look.also === undefined) return
    const before = page.viewportSize()
    for (const other of look.also) {
      await this.#changeTo(other, { ...before, width: other.width })
      await this.#looksRightAs(name, other, { again: true })
    }
    await this.#changeTo(look, before)
    await page.emulateMedia({ reducedMotion: null })
  }

  /** Without motion, or colours would be on their way. */
  async #changeTo({ scheme }, viewport) {
    await this.page.setViewportSize(viewport)
    await this.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
  }

  async #looksRightAs(name, look, { again = false } = {}) {
    const { page } = this
    await page.evaluate(() => document.fonts.ready)
    await screenshot(page, `${name}-${look.name}${this.javaScript ? '' : '-without-script'}`)
    assert.equal(await page.locator('h1').count(), 1)
    const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    assert.ok(inner <= outer, `${name} is ${inner} wide on a screen of ${outer}`)
    if (this.javaScript) {
      assert.deepEqual(
        await page.evaluate(() => window.violations),
        [],
        `${name}: the Content-Security-Policy was violated`,
      )
      assert.deepEqual(await page.evaluate(() => window.shifts), [], `${name}: something jumped`)
    }
    await this.#axe(look, again)
    assert.deepEqual(this.troubles, [], name)
  }

  /** axe is a script: without scripts, it checks a copy of the page. */
  async #axe(look, again) {
    if (this.javaScript) return noViolations(this.page, { again })
    const body = (await this.page.content()).replace(/<script[^>]*><\/script>/g, '')
    const copy = await this.page
      .context()
      .browser()
      .newPage({ colorScheme: /** @type {'light' | 'dark'} */ (look.scheme), viewport: this.page.viewportSize() })
    await copy.route('**/copy', (route) => route.fulfill({ contentType: 'text/html', body }))
    await copy.goto(`${this.service.origin}/copy`)
    await noViolations(copy, { again })
    await copy.close()
  }

  // Actions that every guide repeats

  async logIn(name) {
    await this.open('/login')
    await this.fill('E-mail address', `${name}@acme.example`)
    await this.fill('Password', passwords[name])
    await this.press('Log in')
  }

  async logOut() {
    await this.press('Log out')
    assert.equal(this.path, '/login')
  }

  /** The text of the QR code on the screen. */
  async scan(selector = 'second-factor-qr') {
    return zbar(await this.page.locator(selector).screenshot())
  }

  codeOf(secret) {
    return authenticatorCode(secret, this.service.now)
  }

  /** The guide "Setting up 2FA with Google Authenticator", from the Security page to the codes. */
  async setUpApp(look = async (_name) => {}) {
    await this.follow('Security')
    await look('security-off')
    await this.press('Set up the app')
    const secret = new URL(await this.scan()).searchParams.get('secret')
    await look('set-up-app')
    await this.typeCode(this.codeOf(secret), 'Turn on')
    assert.equal(await this.heading(), 'Two-factor authentication is on')
    await look('backup-codes')
    // The code that confirmed the set-up is used up, and five minutes later it is no recent factor any more.
    this.service.advance(330)
    return { secret, codes: await this.codes(), code: () => this.codeOf(secret) }
  }

  codes() {
    return this.page.locator('.codes code').allTextContents()
  }

  /** Gives the code of the newest SMS, by the link to the outbox, which opens another tab. */
  async readSms() {
    const outbox = this.page.context().waitForEvent('page')
    await this.page.getByRole('link', { name: /in the outbox/ }).click()
    const tab = await outbox
    const text = await tab.locator('.messages pre').first().textContent()
    await tab.close()
    return /\b\d{6}\b/.exec(text)[0]
  }

  /** Shows the factor again on the page that asks for it. */
  async confirmWith(code) {
    assert.equal(await this.heading(), 'Confirm it is you')
    await this.press('Continue')
    await this.typeCode(code, 'Confirm')
    this.service.advance(30)
  }
}
