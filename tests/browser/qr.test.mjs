// <second-factor-qr>: its QR code for cameras, its name for screen readers, and its fallback.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { otpauth, qr, totp } from 'countersign'
import { eventually } from '../shared/eventually.mjs'
import { site, WASM } from './site.mjs'
import { newPage, noViolations, oathtool, paper, printed, screenshot, zbar } from './support.mjs'

const secret = totp.secret()
const uri = otpauth.format({ issuer: 'Acme', label: 'ann@acme.example', secret })
const escaped = uri.replaceAll('&', '&amp;')
const fallback =
  '<img alt="QR code from the server" width="96" height="96" src="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22/%3E">'
const define = {
  '/define.js': ['text/javascript', "import { defineSecondFactorQr } from './browser.mjs'\ndefineSecondFactorQr()\n"],
}

/** Opens a page with this body. `before` runs in the page before its scripts. */
async function open(t, body, given = {}) {
  const { scheme, width, forcedColours, before, ...options } = /** @type {any} */ (given)
  const at = await site(t, {
    body: `${body}<script type="module" src="/define.js"></script>`,
    files: define,
    ...options,
  })
  const page = await newPage(t, { scheme, width, forcedColours })
  const violations = []
  await page.exposeFunction('violated', (text) => violations.push(text))
  await page.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', ({ violatedDirective }) => window.violated(violatedDirective)),
  )
  if (before) await page.addInitScript(before)
  await page.goto(at.origin)
  return { ...at, page, violations }
}

const TRUSTED_TYPES = `${WASM}; require-trusted-types-for 'script'; trusted-types 'none'`

/** Pages with and without style sheets that a script makes; in Safari before 16.4 there are none. */
const sheets = {
  'with a style sheet': undefined,
  'where a style sheet cannot be made': () => {
    const sheet = class {
      constructor() {
        throw new TypeError('Illegal constructor')
      }
    }
    Object.assign(globalThis, { CSSStyleSheet: sheet })
    delete String.prototype.isWellFormed // these browsers lack it too
  },
  'where a shadow root takes no style sheet': () => {
    for (const kind of [Document, ShadowRoot]) delete kind.prototype.adoptedStyleSheets
  },
}

const drawn = (page) => page.locator('second-factor-qr svg').waitFor()

for (const scheme of ['light', 'dark']) {
  for (const width of [1200, 360]) {
    test(`a camera reads the QR code, and an authenticator's codes are right (${scheme}, ${width} px)`, async (t) => {
      const { page, violations, requests } = await open(
        t,
        `<second-factor-qr uri="${escaped}">${fallback}</second-factor-qr>`,
        { scheme, width },
      )
      await drawn(page)
      assert.equal(zbar(await page.locator('second-factor-qr').screenshot()), uri)
      const read = new URL(zbar(await page.screenshot())).searchParams.get('secret')
      for (const time of [0, 59, 1_800_000_000]) assert.equal(oathtool(read, time), totp.generate({ secret, time }))
      assert.equal(await page.getByRole('img', { name: 'QR code for Acme, ann@acme.example' }).count(), 1)
      assert.equal(await page.getByAltText('QR code from the server').isVisible(), false)
      assert.deepEqual(violations, [])
      assert.deepEqual(
        requests.filter((path) => path === '/countersign.wasm'),
        ['/countersign.wasm'],
      )
      await noViolations(page)
      await screenshot(page, `component-${scheme}-${width}`)
    })
  }
}

/** The picture of a QR code in the portable format for grey pixels. */
function pgm(svg) {
  const side = Number(/viewBox="0 -.5 (\d+)/.exec(svg)[1])
  const scale = 4
  const width = side * scale
  const pixels = Buffer.alloc(width * width, 255)
  let [x, y] = [0, 0]
  for (const [, command, a, b] of /stroke="#000" d="([^"]*)"/.exec(svg)[1].matchAll(/([Mmh])(\d+)(?: (\d+))?/g)) {
    if (command === 'M') [x, y] = [Number(a), Number(b)]
    if (command === 'm') x += Number(a)
    if (command !== 'h') continue
    for (let line = y * scale; line < (y + 1) * scale; line += 1)
      pixels.fill(0, line * width + x * scale, line * width + (x + Number(a)) * scale)
    x += Number(a)
  }
  return Buffer.concat([Buffer.from(`P5\n${width} ${width}\n255\n`), pixels])
}

test('a camera reads texts of every size and alphabet', () => {
  const alphabets = {
    digits: '0123456789',
    capitals: 'OTPAUTH://TOTP/ACME-2+$%*.',
    letters: 'otpauth://totp/acme?secret=',
    mixed: 'aB3dE5GH7890JKLMNOPQRSTUVWXYZ234567xyz',
    'UTF-8': 'é日本かなカナ🔐',
  }
  for (const [name, alphabet] of Object.entries(alphabets)) {
    const letters = [...alphabet]
    for (const length of [1, 2, 13, 40, 91, 155, 213, 260, 420, 700]) {
      const text = Array.from({ length }, (_, at) => letters[(at * at + at) % letters.length]).join('')
      assert.equal(zbar(pgm(qr.svg(text)), { format: 'pgm', binary: true }), text.trim(), `${name}, ${length}`)
    }
  }
})

test('a sample is marked, in the picture and for a screen reader', async (t) => {
  const { page } = await open(t, '<second-factor-qr issuer="Acme" label="ann@acme.example" sample></second-factor-qr>')
  await drawn(page)
  assert.equal(await page.getByRole('img', { name: 'Sample QR code for Acme, ann@acme.example' }).count(), 1)
  assert.equal(
    new URL(zbar(await page.locator('second-factor-qr').screenshot())).searchParams.get('secret'),
    'SAMPLESAMPLESAMPLESAMPLESAMPLE22',
  )
  assert.equal(await page.locator('second-factor-qr svg text').textContent(), 'SAMPLE')
  await noViolations(page)
  await screenshot(page, 'component-sample')
})

test('P17: the element draws where the page requires Trusted Types and has no policy for them', async (t) => {
  const { page, violations } = await open(
    t,
    `<second-factor-qr uri="${escaped}">${fallback}</second-factor-qr><second-factor-qr id="sample" issuer="Acme" label="ann" sample></second-factor-qr>`,
    { scripts: TRUSTED_TYPES },
  )
  await page.locator('#sample svg').waitFor()
  await page.locator('second-factor-qr svg').first().waitFor()
  assert.equal(zbar(await page.locator('second-factor-qr').first().screenshot()), uri)
  assert.equal(await page.locator('#sample svg text').textContent(), 'SAMPLE')
  const [drawing, sample] = await page.evaluate(async () => {
    const { previewEnrollment } = await import('/browser.mjs')
    const pictures = [...document.querySelectorAll('second-factor-qr')].map((each) =>
      each.shadowRoot.querySelector('svg'),
    )
    const { svg } = await previewEnrollment({ issuer: 'Acme', label: 'ann' })
    return [
      [new XMLSerializer().serializeToString(pictures[0])],
      [new XMLSerializer().serializeToString(pictures[1]), svg],
    ]
  })
  const named = (svg, name) => svg.replace(/aria-label="[^"]*"/, `aria-label="${name}"`)
  assert.equal(drawing[0], named(qr.svg(uri), 'QR code for Acme, ann@acme.example'), 'each attribute is taken over')
  assert.equal(sample[0], named(sample[1], 'Sample QR code for Acme, ann'))
  const parsed = page.evaluate(() => new DOMParser().parseFromString('<p>', 'text/html').title)
  await assert.rejects(parsed, /TrustedHTML|blocked by CSP/, 'the page forbids its parser')
  await eventually(() => assert.notEqual(violations.length, 0))
  assert.deepEqual(violations, ['require-trusted-types-for'], 'of this test alone')
})

for (const [name, before] of Object.entries(sheets)) {
  test(`P16: the code has its size and corners ${name}`, async (t) => {
    const { page, violations } = await open(
      t,
      `<link rel="stylesheet" href="/look.css"><second-factor-qr uri="${escaped}">${fallback}</second-factor-qr>`,
      {
        scripts: TRUSTED_TYPES,
        files: { ...define, '/look.css': ['text/css', 'second-factor-qr::part(code) { margin-block-start: 7px }'] },
        before,
      },
    )
    await drawn(page)
    const picture = page.locator('second-factor-qr svg')
    const look = async () => {
      const { width, height } = await picture.boundingBox()
      return [width, height, await picture.evaluate((element) => getComputedStyle(element).borderTopLeftRadius)]
    }
    assert.deepEqual(await look(), [192, 192, '4px'])
    assert.equal(await page.locator('[part=code]').evaluate((part) => getComputedStyle(part).marginTop), '7px')
    assert.equal(await page.getByAltText('QR code from the server').isVisible(), false)
    assert.equal(zbar(await picture.screenshot()), uri)
    await page.evaluate(() => {
      const { style } = document.querySelector('second-factor-qr')
      style.setProperty('--second-factor-qr-size', '300px')
      style.setProperty('--second-factor-qr-radius', '0px')
    })
    assert.deepEqual(await look(), [300, 300, '0px'])
    await page.setViewportSize({ width: 200, height: 800 })
    assert.ok((await look())[0] < 200, 'never wider than its place')
    await page.evaluate(() => (document.querySelector('second-factor-qr').hidden = true))
    assert.equal(await picture.isVisible(), false)
    assert.deepEqual(violations, [], 'the policy of the page forbids inline styles')
    await noViolations(page)
  })
}

test('P16: without a shadow root the content stays, and the error says why', async (t) => {
  const { page } = await open(t, `<second-factor-qr uri="${escaped}">${fallback}</second-factor-qr>`, {
    before: () => {
      window.count = 0
      document.addEventListener('error', ({ detail }) => detail?.code === 'internal' && (window.count += 1), true)
      Element.prototype.attachShadow = () => {
        throw new DOMException('no shadow here', 'NotSupportedError')
      }
    },
  })
  await page.waitForFunction(() => window.count === 1)
  assert.equal(await page.getByAltText('QR code from the server').isVisible(), true)
  assert.equal(await page.locator('second-factor-qr svg').count(), 0)
})

for (const [name, before] of Object.entries(sheets)) {
  test(`the code is dark on white in forced colours, and on paper (${name})`, async (t) => {
    const { page } = await open(
      t,
      `<second-factor-qr uri="${escaped}"></second-factor-qr><second-factor-qr id="sample" issuer="Acme" label="ann" sample></second-factor-qr>`,
      { scheme: 'dark', forcedColours: true, before },
    )
    await page.locator('#sample svg').waitFor()
    const code = page.locator('second-factor-qr svg').first()
    await code.waitFor()
    assert.notEqual(
      await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
      'rgb(255, 255, 255)',
      'the forced colours are dark',
    )
    assert.equal(zbar(await code.screenshot()), uri)
    const colours = (selector) =>
      page
        .locator(selector)
        .evaluateAll((all) => all.map((each) => [getComputedStyle(each).fill, getComputedStyle(each).stroke]))
    assert.deepEqual(await colours('second-factor-qr:not(#sample) path'), [
      ['rgb(255, 255, 255)', 'none'],
      ['rgb(0, 0, 0)', 'rgb(0, 0, 0)'],
    ])
    assert.deepEqual(await colours('#sample text'), [['rgb(176, 0, 32)', 'none']], 'the mark of a sample can be read')
    await page.evaluate(() => document.querySelector('#sample').remove())
    assert.equal(zbar(paper(await printed(page))), uri)
  })
}

for (const [name, options] of Object.entries({
  'where the page does not allow WebAssembly': { scripts: "script-src 'self'" },
  'where the module is not there': {
    files: { ...define, '/countersign.wasm': (request, response) => response.writeHead(404).end() },
  },
})) {
  test(`the server's picture stays ${name}`, async (t) => {
    const { page } = await open(t, `<second-factor-qr uri="${escaped}">${fallback}</second-factor-qr>`, options)
    const code = await page.evaluate(() => {
      const element = document.querySelector('second-factor-qr')
      return new Promise((resolve) => {
        element.addEventListener('error', ({ detail }) => resolve(detail.code))
        element.setAttribute('alt', 'again')
      })
    })
    assert.equal(code, 'not_loaded')
    assert.equal(await page.getByAltText('QR code from the server').isVisible(), true)
    assert.equal(await page.locator('second-factor-qr svg').count(), 0)
  })
}

test('the element follows its attributes, draws once for changes made together, and never shows an outdated code', async (t) => {
  const { page } = await open(t, `<second-factor-qr issuer="Acme" label="ann" sample>${fallback}</second-factor-qr>`)
  await drawn(page)
  const change = (attributes) =>
    page.evaluate((attributes) => {
      const element = document.querySelector('second-factor-qr')
      window.count = 0
      element.addEventListener('ready', () => (window.count += 1))
      return new Promise((resolve) => {
        for (const kind of ['ready', 'error'])
          element.addEventListener(kind, ({ detail }) => resolve([kind, detail.code ?? detail.issuer]), { once: true })
        for (const [name, value] of attributes)
          value === null ? element.removeAttribute(name) : element.setAttribute(name, value)
      })
    }, attributes)
  const read = async () => new URL(zbar(await page.locator('second-factor-qr').screenshot())).searchParams.get('issuer')
  assert.deepEqual(
    await change([
      ['issuer', 'x'],
      ['label', 'y'],
      ['issuer', 'Other'],
    ]),
    ['ready', 'Other'],
  )
  assert.equal(await page.evaluate(() => window.count), 1)
  assert.equal(await read(), 'Other')
  assert.deepEqual(await change([['uri', uri]]), ['ready', 'Acme'])
  assert.deepEqual(await change([['uri', 'otpauth://nonsense']]), ['error', 'invalid_uri'])
  assert.equal(await page.locator('second-factor-qr svg').count(), 0)
  assert.equal(await page.getByAltText('QR code from the server').isVisible(), true)
  assert.deepEqual(
    await change([
      ['uri', null],
      ['sample', null],
    ]),
    ['error', 'invalid_input'],
    'no sample unless asked for',
  )
  assert.deepEqual(
    await change([
      ['uri', uri],
      ['alt', 'Scan <me>'],
    ]),
    ['ready', 'Acme'],
  )
  assert.equal(await page.getByRole('img', { name: 'Scan <me>', exact: true }).count(), 1)
})

test('the element works when made by a script, under another name, hidden and resized; the Tab key skips it', async (t) => {
  const { page } = await open(t, '<button>before</button><div id="here"></div><button>after</button>')
  const said = await page.evaluate(async (uri) => {
    const { defineSecondFactorQr } = await import('/browser.mjs')
    defineSecondFactorQr()
    defineSecondFactorQr('acme-qr')
    const out = []
    for (const name of ['second-factor-qr', 'acme-qr']) {
      const element = document.createElement(name)
      element.setAttribute('uri', uri)
      const ready = new Promise((resolve) =>
        element.addEventListener('ready', ({ detail }) => resolve(JSON.stringify(detail))),
      )
      document.querySelector('#here').append(element)
      out.push(await ready)
      element.style.setProperty('--second-factor-qr-size', '300px')
    }
    return out
  }, uri)
  assert.deepEqual(
    said,
    Array(2).fill('{"issuer":"Acme","label":"ann@acme.example","sample":false}'),
    'no secret in an event',
  )
  for (const name of ['second-factor-qr', 'acme-qr']) {
    assert.equal(zbar(await page.locator(name).screenshot()), uri)
    assert.equal((await page.locator(name).boundingBox()).width, 300)
  }
  await page.evaluate(() => (document.querySelector('acme-qr').hidden = true))
  assert.equal(await page.locator('acme-qr').isVisible(), false)
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'after')
})
