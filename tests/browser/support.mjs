// A real browser for the tests: Debian's Chromium or, with COUNTERSIGN_BROWSER=firefox, Debian's Firefox. playwright-core
// drives both.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inCi } from '../../scripts/common.mjs'
import { startService } from '../e2e/support.mjs'
import { commandPath, internals, launchChromium, launchFirefox } from './launch.mjs'

const pictures = fileURLToPath(new URL('../../target/screenshots/', import.meta.url))
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const NAME = process.env.COUNTERSIGN_BROWSER ?? 'chromium'
if (!['chromium', 'firefox'].includes(NAME)) throw new Error('COUNTERSIGN_BROWSER is chromium or firefox')
export const inFirefox = NAME === 'firefox'

/** A test that Firefox cannot pass, or need not. It is not declared there, because CI lets no test be skipped. */
export const testInChromium = inFirefox ? () => {} : test

const browsers = new Map()
after(() => Promise.all([...browsers.values()].map(async (browser) => (await browser).close())))

/** A browser of this test file with these colours; it ends with the file. Chromium changes the colours for each page. */
function withBrowser(scheme, forcedColours) {
  const key = inFirefox ? `${scheme} ${forcedColours}` : 'any'
  if (!browsers.has(key)) browsers.set(key, inFirefox ? launchFirefox(scheme, forcedColours) : launchChromium())
  return browsers.get(key)
}

/**
 * A page with cookies of its own, until the test `t` ends.
 * @param {{ scheme?: any, width?: number, height?: number, javaScript?: boolean, headers?: Record<string, string>, timezone?: string, forcedColours?: boolean }} [options]
 */
export async function newPage(t, options = {}) {
  const { scheme = 'light', width = 1200, height = 800, javaScript = true, headers, timezone = 'UTC' } = options
  const { forcedColours = false } = options
  const context = await (await withBrowser(scheme, forcedColours)).newContext({
    colorScheme: scheme,
    ...(forcedColours && { forcedColors: 'active' }),
    viewport: { width, height },
    timezoneId: timezone,
    javaScriptEnabled: javaScript,
    ...(headers && { extraHTTPHeaders: headers }),
  })
  context.setDefaultTimeout(10_000)
  t.after(() => context.close())
  const page = await context.newPage()
  // Before a picture of Firefox, playwright-core adds an inline style, which a Content-Security-Policy refuses.
  if (inFirefox) internals(page).delegate.shouldToggleStyleSheetToSyncAnimations = () => false
  return page
}

/** The page on A4, as a PDF. */
export async function printed(page) {
  // playwright-core counts in inches and gives the same numbers to Firefox, which counts in centimetres.
  if (inFirefox) return page.pdf({ width: '21in', height: '29.7in' })
  await page.emulateMedia({ forcedColors: null }) // paper has no forced colours
  return page.pdf({ format: 'A4' })
}

/** Lets the page read and write the clipboard. Firefox has a preference for that, given at its start. */
export async function allowClipboard(page, origin) {
  if (!inFirefox) await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin })
}

/** The real login service with a fresh database; it ends with the test `t`. */
export const service = startService

/** target/screenshots/<name>.png, and <name>-firefox.png for Firefox. They are for people, and nobody sees those of CI. */
export async function screenshot(page, name) {
  if (inCi) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}${inFirefox ? '-firefox' : ''}.png`), fullPage: true })
}

/** The rules of axe that another width or other colours can break. */
const OF_LOOKS = ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size']

/**
 * Asserts that axe finds no violation of WCAG 2.2 AA, but for the rules that are excepted. `again`: the same page was good in another
 * look. Only in Chromium: axe judges the same pages there, and Firefox 153 crashes where a field is filled after axe.
 * @param {{ except?: string[], again?: boolean }} [options]
 */
export async function noViolations(page, options = {}) {
  const { except = [], again = false } = options
  if (inFirefox) return
  // By the debugger, which the page's Content-Security-Policy does not stop.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe)
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const { violations } = await page.evaluate(
    ({ only, off }) =>
      globalThis.axe.run({ runOnly: only, rules: Object.fromEntries(off.map((id) => [id, { enabled: false }])) }),
    { only: again ? OF_LOOKS : tags, off: except },
  )
  assert.deepEqual(
    violations.map(
      ({ id, help, nodes }) =>
        `${id}: ${help}\n${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`,
    ),
    [],
  )
}

/** The code by oathtool, a real authenticator, at that second. */
export const oathtool = (secret, unixSeconds, ...options) =>
  run('oathtool', ['--totp', '--base32', secret, '--now', `@${unixSeconds}`, ...options], 'oathtool').trim()

/** The text of the QR code in a picture. `binary`: its bytes are taken as UTF-8, and zbar does not guess at them. */
export const zbar = (picture, { format = 'png', binary = false } = {}) => {
  const options = ['--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', ...(binary ? ['--oneshot', '-Sbinary'] : [])]
  return run('zbarimg', [...options, `${format}:-`], 'zbar-tools', picture).trim()
}

/** The first page of a PDF as a picture. */
export const paper = (pdf) => output('pdftoppm', ['-png', '-singlefile', '-r', '100', '-'], 'poppler-utils', pdf)

/** The output of a program, as text. */
export const run = (program, args, debianPackage, input = undefined) =>
  output(program, args, debianPackage, input).toString()

/** The output of a program. The error for a missing program names its Debian package. */
function output(program, args, debianPackage, input) {
  return execFileSync(commandPath(program, debianPackage), args, { input, stdio: ['pipe', 'pipe', 'ignore'] })
}
