// Starts Debian's Chromium and Firefox; playwright-core drives both.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, firefox } from 'playwright-core'

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

export const launchChromium = () =>
  chromium.launch({ executablePath: commandPath('chromium', 'chromium'), args: FLAGS })

/** Firefox as it is, by WebDriver BiDi. That protocol cannot change the colours of a page, so the preferences do. */
export async function launchFirefox(scheme = 'light', forcedColours = false) {
  const browser = await firefox.launch({
    executablePath: commandPath('firefox-esr', 'firefox-esr'),
    channel: 'moz-firefox',
    firefoxUserPrefs: {
      'layout.css.prefers-color-scheme.content-override': scheme === 'dark' ? 0 : 1,
      'browser.display.document_color_use': forcedColours ? 2 : 1,
      'browser.download.alwaysOpenPanel': false, // it would take the focus from the page
      'dom.events.testing.asyncClipboard': true, // else a page that reads the clipboard waits for a click
    },
  })
  // playwright-core asks for the colours of each new context, though Firefox 153 does not know that command.
  const session = internals(browser)._browserSession
  const send = session.send.bind(session)
  session.send = (method, options) =>
    send(method, options).catch((error) => {
      if (method !== 'emulation.setMediaFeaturesOverride' || !error.message.includes('unknown command')) throw error
    })
  return browser
}

/** The object inside playwright-core that stands behind one of its interface. */
export const internals = (object) => object._connection.toImpl(object)

/** A program in PATH. The error for a missing one names its Debian package. */
export function commandPath(program, debianPackage) {
  const folder = (process.env.PATH ?? '').split(delimiter).find((each) => existsSync(join(each, program)))
  if (folder === undefined)
    throw new Error(`This test needs the program ${program}: install the Debian package ${debianPackage}.`)
  return join(folder, program)
}
