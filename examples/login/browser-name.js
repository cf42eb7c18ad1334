// The name of a browser for its owner, such as `Firefox on Linux`, made of what the browser says of itself. It is for people to
// tell their browsers apart, and proves nothing.

const browsers = [
  ['Edge', /\bEdg(?:e|A|iOS)?\//],
  ['Opera', /\bOPR\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Chrome|CriOS|Chromium|HeadlessChrome)\//],
  ['Safari', /\bSafari\//],
]

const systems = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows NT\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Mac', /\bMacintosh\b/],
  ['Linux', /\bLinux\b/],
]

const nameIn = (names, agent) => names.find(([, pattern]) => pattern.test(agent))?.[0]

/** The browser and its system, or an empty text where neither is known. */
export function browserName(userAgent = '') {
  const agent = userAgent.slice(0, 400)
  return [nameIn(browsers, agent), nameIn(systems, agent)].filter(Boolean).join(' on ')
}
