// A real browser for the tests: Debian's Chromium, driven by playwright-core.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { startService } from '../e2e/support.mjs'

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const pictures = fileURLToPath(new URL('../../target/screenshots/', import.meta.url))
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let browser
after(async () => (await browser)?.close())

/** The browser of this test file; it ends with the file. */
export function withBrowser() {
  browser ??= chromium.launch({ executablePath: commandPath('chromium', 'chromium'), args: FLAGS })
  return browser
}

/**
 * A page with cookies of its own, until the test `t` ends.
 * @param {{ scheme?: any, width?: number, height?: number, javaScript?: boolean, headers?: Record<string, string>, timezone?: string }} [options]
 */
export async function newPage(t, options = {}) {
  const { scheme = 'light', width = 1200, height = 800, javaScript = true, headers, timezone = 'UTC' } = options
  const context = await (await withBrowser()).newContext({
    colorScheme: scheme,
    viewport: { width, height },
    timezoneId: timezone,
    javaScriptEnabled: javaScript,
    ...(headers && { extraHTTPHeaders: headers }),
  })
  context.setDefaultTimeout(10_000)
  t.after(() => context.close())
  return context.newPage()
}

/** The real login service with a fresh database; it ends with the test `t`. */
export const service = startService

/** target/screenshots/<name>.png */
export function screenshot(page, name) {
  mkdirSync(pictures, { recursive: true })
  return page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
}

/**
 * Asserts that axe finds no violation of WCAG 2.2 AA, but for the rules that are excepted.
 * @param {{ except?: string[] }} [options]
 */
export async function noViolations(page, options = {}) {
  const { except = [] } = options
  await page.evaluate(axe) // by the debugger, which the page's Content-Security-Policy does not stop
  const { violations } = await page.evaluate((ids) => {
    const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    return globalThis.axe.run({ runOnly, rules: Object.fromEntries(ids.map((id) => [id, { enabled: false }])) })
  }, except)
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

/** The text of the QR code in a picture. */
export const zbar = (png) =>
  run('zbarimg', ['--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', 'png:-'], 'zbar-tools', png).trim()

/** The first page of a PDF as a picture. */
export const paper = (pdf) => output('pdftoppm', ['-png', '-singlefile', '-r', '100', '-'], 'poppler-utils', pdf)

/** The output of a program, as text. */
export const run = (program, args, debianPackage, input = undefined) =>
  output(program, args, debianPackage, input).toString()

/** The output of a program. The error for a missing program names its Debian package. */
function output(program, args, debianPackage, input) {
  return execFileSync(commandPath(program, debianPackage), args, { input, stdio: ['pipe', 'pipe', 'ignore'] })
}

function commandPath(program, debianPackage) {
  const folder = (process.env.PATH ?? '').split(delimiter).find((each) => existsSync(join(each, program)))
  if (folder === undefined)
    throw new Error(`This test needs the program ${program}: install the Debian package ${debianPackage}.`)
  return join(folder, program)
}
