// The browser build: its demands on a page, its requests, and its limits.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { otpauth, qr, totp } from 'countersign'
import { site } from './site.mjs'
import { newPage } from './support.mjs'

const secret = totp.secret()
const uri = otpauth.format({ issuer: 'Acme', label: 'ann@acme.example', secret })
const SAMPLE = 'SAMPLESAMPLESAMPLESAMPLESAMPLE22'

async function open(t, options) {
  const at = await site(t, options)
  const page = await newPage(t)
  const asked = []
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(at.origin)
  return { ...at, page, asked }
}

test('B1: a set-up from the server, drawn in the page with one request: for the module', async (t) => {
  const { page, asked, origin } = await open(t)
  await page.evaluate(() => import('/browser.mjs'))
  assert.deepEqual(asked, [`${origin}/`, `${origin}/browser.mjs`], 'nothing is fetched before the first use')
  const preview = await page.evaluate(async (source) => (await import('/browser.mjs')).previewEnrollment(source), {
    uri,
  })
  assert.deepEqual(preview, {
    uri,
    svg: qr.svg(uri),
    secret: secret.match(/.{1,4}/g).join(' '),
    issuer: 'Acme',
    label: 'ann@acme.example',
    sample: false,
  })
  assert.deepEqual(asked, [`${origin}/`, `${origin}/browser.mjs`, `${origin}/countersign.wasm`])
})

test('T14: without a server the page draws only the marked sample with its known secret', async (t) => {
  const { page } = await open(t)
  const names = await page.evaluate(async () => Object.keys(await import('/browser.mjs')).sort())
  assert.deepEqual(
    names,
    ['CountersignError', 'defineSecondFactorQr', 'load', 'previewEnrollment'],
    'nothing here makes a secret',
  )
  const draw = () =>
    page.evaluate(async () => {
      const { previewEnrollment } = await import('/browser.mjs')
      return [
        await previewEnrollment({ issuer: 'Acme', label: 'ann' }),
        await previewEnrollment({ issuer: 'Other', label: 'bob' }),
      ]
    })
  for (const preview of [...(await draw()), ...(await draw())]) {
    assert.equal(preview.secret.replaceAll(' ', ''), SAMPLE)
    assert.equal(new URL(preview.uri).searchParams.get('secret'), SAMPLE)
    assert.equal(preview.sample, true)
    assert.match(preview.svg, />SAMPLE<\/text>/)
  }
  const again = await page.evaluate(async (source) => (await import('/browser.mjs')).previewEnrollment(source), {
    uri: otpauth.format({ issuer: 'Acme', label: 'ann', secret: SAMPLE }),
  })
  assert.equal(again.sample, true, 'a URI with the secret of the sample is marked as well')
  const script = readFileSync(new URL('../../pkg/browser.mjs', import.meta.url), 'utf8')
  assert.doesNotMatch(script, /getRandomValues|randomUUID|Math\.random|totp_secret|generate_keys|backup_mint/)
})

test('T32: the secret is not sent, kept or quoted in an error, and the picture loads nothing', async (t) => {
  const { page, requests } = await open(t)
  const seen = await page.evaluate(
    async (source) => {
      const { previewEnrollment } = await import('/browser.mjs')
      const { svg } = await previewEnrollment(source)
      const error = await previewEnrollment({ uri: `${source.uri}&digits=5` }).catch(
        (error) => `${error.code} ${error.path} ${error.message} ${error.stack} ${error.cause}`,
      )
      return { svg, error, kept: localStorage.length + sessionStorage.length + document.cookie.length }
    },
    { uri },
  )
  assert.doesNotMatch(
    seen.svg.replace('xmlns="http://www.w3.org/2000/svg"', ''),
    /:\/\/|href|url\(|<script|<image|otpauth/,
  )
  assert.ok(!seen.error.includes(secret) && seen.error.startsWith('invalid_uri'), seen.error)
  assert.equal(seen.kept, 0)
  assert.deepEqual(requests, ['/', '/browser.mjs', '/countersign.wasm'])
})

test('without wasm-unsafe-eval the error says so, and no module is fetched', async (t) => {
  const { page, requests } = await open(t, { scripts: "script-src 'self'" })
  const error = await page.evaluate(
    async (source) =>
      (await import('/browser.mjs')).previewEnrollment(source).catch(({ code, message }) => ({ code, message })),
    { uri },
  )
  assert.equal(error.code, 'not_loaded')
  assert.match(error.message, /wasm-unsafe-eval/)
  assert.ok(!requests.includes('/countersign.wasm'))
})

test('all callers of load get one promise', async (t) => {
  const { page, requests } = await open(t)
  assert.ok(
    await page.evaluate(
      async (source) => {
        const { load, previewEnrollment } = await import('/browser.mjs')
        const [first, second] = [load(), load()]
        await Promise.all([first, second, previewEnrollment(source), previewEnrollment(source)])
        return first === second && first === load()
      },
      { uri },
    ),
  )
  assert.equal(requests.filter((path) => path === '/countersign.wasm').length, 1)
})

test('a failed load is reported, and the next call tries again', async (t) => {
  const module = readFileSync(new URL('../../pkg/countersign.wasm', import.meta.url))
  const answers = [
    (response) => response.writeHead(503).end(),
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>'),
    (response) => response.writeHead(200, { 'content-type': 'application/wasm' }).end(module.subarray(0, 1000)),
    (response) =>
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' }).end(module),
  ]
  const { page } = await open(t, { files: { '/countersign.wasm': (request, response) => answers.shift()(response) } })
  const draw = () =>
    page.evaluate(
      async (source) =>
        (await import('/browser.mjs')).previewEnrollment(source).then(
          ({ uri }) => uri,
          ({ code }) => code,
        ),
      { uri },
    )
  await page.route('**/countersign.wasm', (route) => route.abort(), { times: 1 })
  for (let turn = 0; turn < 4; turn += 1) assert.equal(await draw(), 'not_loaded')
  assert.equal(await draw(), uri)
  assert.equal(answers.length, 0)
})

test('the module may be given as bytes, a response, an address, or compiled', async (t) => {
  const module = readFileSync(new URL('../../pkg/countersign.wasm', import.meta.url))
  for (const kind of ['bytes', 'buffer', 'response', 'promise', 'address', 'url', 'module']) {
    const { page, requests } = await open(t, { files: { '/other.wasm': ['application/wasm', module] } })
    const drawn = await page.evaluate(
      async ([kind, source]) => {
        const { load, previewEnrollment } = await import('/browser.mjs')
        const answer = () => fetch('/other.wasm')
        const wasm = {
          bytes: async () => new Uint8Array(await (await answer()).arrayBuffer()),
          buffer: async () => (await answer()).arrayBuffer(),
          response: answer,
          promise: answer,
          address: async () => '/other.wasm',
          url: async () => new URL('/other.wasm', location.href),
          module: async () => WebAssembly.compileStreaming(answer()),
        }[kind]
        await load({ wasm: kind === 'promise' ? wasm() : await wasm() })
        return (await previewEnrollment(source)).uri
      },
      [kind, { uri }],
    )
    assert.equal(drawn, uri, kind)
    assert.deepEqual(requests, ['/', '/browser.mjs', '/other.wasm'], kind)
  }
})

test('T37: any value of any type gives a coded error, and the next call works', async (t) => {
  const { page } = await open(t)
  const results = await page.evaluate(async (good) => {
    const { load, previewEnrollment, defineSecondFactorQr, CountersignError } = await import('/browser.mjs')
    const nasty = [
      undefined,
      null,
      0,
      1n,
      NaN,
      true,
      '',
      'otpauth://',
      [],
      {},
      () => {},
      Symbol('x'),
      new Date(),
      /x/,
      new Map(),
      '\ud800',
      'x'.repeat(70_000),
      '\0',
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('trap')
          },
        },
      ),
      {
        get uri() {
          throw new Error('getter')
        },
      },
      Object.create({ uri: good }),
      { uri: good, issuer: 'x' },
      { uri: good, more: 1 },
    ]
    const sources = [
      ...nasty,
      ...nasty.map((uri) => ({ uri })),
      ...nasty.map((issuer) => ({ issuer, label: 'ann' })),
      ...nasty.map((label) => ({ issuer: 'Acme', label })),
    ]
    const jobs = [
      ...nasty.filter((value) => value !== undefined).map((wasm) => () => load(wasm)),
      ...nasty
        .filter((value) => value !== undefined && value !== null && typeof value !== 'string')
        .map((wasm) => () => load({ wasm })),
      ...sources.map((source) => () => previewEnrollment(source)),
      ...nasty
        .filter((value) => value !== undefined && typeof value !== 'string')
        .map((name) => async () => defineSecondFactorQr(name)),
    ]
    let refused = 0
    const wrong = []
    for (const [index, job] of jobs.entries()) {
      try {
        await job()
      } catch (error) {
        if (error instanceof CountersignError && error.code !== 'internal') refused += 1
        else wrong.push(`${index}: ${error}`)
      }
    }
    return { jobs: jobs.length, refused, wrong, after: (await previewEnrollment({ uri: good })).uri }
  }, uri)
  assert.deepEqual(results.wrong, [])
  assert.ok(results.refused > 100, `only ${results.refused} of ${results.jobs}`)
  assert.equal(results.after, uri)
})

test('T33: a polluted prototype changes nothing', async (t) => {
  const { page } = await open(t)
  const seen = await page.evaluate(async (good) => {
    /** @type {any} */
    const all = Object.prototype
    all.uri = 'otpauth://totp/Evil:evil?secret=EVILEVILEVILEVILEVILEVILEVILEVIL&issuer=Evil'
    all.issuer = 'Evil'
    all.label = 'evil'
    all.secret = 'EVILEVILEVILEVILEVILEVILEVILEVIL'
    all.wasm = '/evil.wasm'
    const { previewEnrollment } = await import('/browser.mjs')
    const refused = await previewEnrollment({}).then(
      () => 'drawn',
      ({ code }) => code,
    )
    const drawn = await previewEnrollment({ uri: good })
    const sample = await previewEnrollment({ issuer: 'Acme', label: 'ann' })
    return [refused, drawn.uri, drawn.issuer, sample.issuer, sample.secret]
  }, uri)
  assert.deepEqual(seen, ['invalid_input', uri, 'Acme', 'Acme', SAMPLE.match(/.{4}/g).join(' ')])
})

test('the file for browsers holds no code of Node and names no file but the module', () => {
  const theModule = '"countersign.wasm", import.meta.url'
  const aCallersAddress = 'address, globalThis.location?.href'
  const script = readFileSync(new URL('../../pkg/browser.mjs', import.meta.url), 'utf8')
  assert.doesNotMatch(
    script,
    /node:|\brequire\("|countersign_bg\.wasm', import|process\.|\bBuffer\b|^await |eval\(|new Function/m,
  )
  assert.deepEqual(
    [...script.matchAll(/new URL\(([^)]*)\)/g)].map(([, found]) => found),
    [theModule, aCallersAddress],
  )
  assert.ok(script.length < 40_000, `${script.length} bytes`)
})

test('importing it on a server does nothing', async () => {
  assert.deepEqual(Object.keys(await import('countersign/browser')).sort(), [
    'CountersignError',
    'defineSecondFactorQr',
    'load',
    'previewEnrollment',
  ])
})
