// The set-up as the page draws it, and the loading of the module that draws it.
import { otpauth_format, otpauth_parse, qr } from '../target/browser/countersign.js'
import { start, wiped } from './browser-wasm.js'
import { CountersignError, guarded, invalid } from './error.js'
import { optional, read, text } from './input.js'
import { moduleFile } from './module-file.js'

/** The source of the module: its address, an answer to a request for it, its bytes, or compiled. */
export type WasmSource = string | URL | Response | ArrayBuffer | Uint8Array<ArrayBuffer> | WebAssembly.Module

/** The set-up to draw: a URI from the server, or the names for a sample. */
export type PreviewSource = { uri: string } | { issuer: string; label: string }

/** A set-up as it can be shown. */
export interface Preview {
  /** The `otpauth://` URI in the QR code. */
  uri: string
  /** The QR code: one SVG, nothing external. A sample says so below the code. */
  svg: string
  /** The secret in base32, in groups of four, to type by hand. */
  secret: string
  /** The service's name, as the app will show it. */
  issuer: string
  /** The user's name, as the app will show it. */
  label: string
  /** Whether this is a sample, which nobody can enroll. */
  sample: boolean
}

/** The one secret of every sample. It reads as a sample, and no server hands it out. */
const SAMPLE_SECRET = 'SAMPLESAMPLESAMPLESAMPLESAMPLE22'

let loading: Promise<void> | undefined

/**
 * Loads the module, once: later calls give the same promise, and one after a failure tries again.
 * Without `wasm` it is `countersign.wasm` beside this file. The other functions call this themselves;
 * call it to load early, or from elsewhere.
 *
 * @example
 * ```ts
 * import { load } from 'countersign/browser'
 *
 * export async function start(): Promise<void> {
 *   await load({ wasm: '/assets/countersign.wasm' })
 * }
 * ```
 */
export function load(options: { wasm?: WasmSource | Promise<WasmSource> | undefined } = {}): Promise<void> {
  loading ??= fetched(options).catch((error: unknown) => {
    loading = undefined
    throw CountersignError.is(error)
      ? error
      : new CountersignError('not_loaded', '', 'the WebAssembly could not be loaded', error)
  })
  return loading
}

async function fetched(options: unknown): Promise<void> {
  const { wasm } = read(options, '', { wasm: (value) => value })
  permitted()
  await start(await compiled(wasm === undefined || wasm === null ? moduleFile() : await wasm))
}

/** Compiles an empty module, so that a page that does not allow WebAssembly fails before it fetches any. */
function permitted() {
  try {
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
  } catch (error) {
    throw new CountersignError(
      'not_loaded',
      '',
      "this page may not run WebAssembly: allow 'wasm-unsafe-eval' in script-src",
      error,
    )
  }
}

async function compiled(source: unknown): Promise<WebAssembly.Module> {
  // By name and not by `instanceof`: a test's page, a frame and a worker have classes of their own.
  switch (Object.prototype.toString.call(source)) {
    case '[object WebAssembly.Module]':
      return source as WebAssembly.Module
    case '[object ArrayBuffer]':
    case '[object Uint8Array]':
      return WebAssembly.compile(source as Uint8Array<ArrayBuffer>)
    case '[object Response]':
      return compiledFrom(source as Response)
    case '[object String]':
    case '[object URL]':
      return atAddress(String(source))
    default:
      throw invalid('wasm', 'must be a URL, a Response, bytes or a WebAssembly.Module')
  }
}

async function atAddress(address: string): Promise<WebAssembly.Module> {
  const shown = shownAddress(address)
  // A browser fetches from no address with a password, and its error would show it.
  if (shown === undefined)
    throw invalid('wasm', 'must be an address of http, https or file without a password, such as of a file of the site')
  try {
    return await compiledFrom(await fetch(address))
  } catch (error) {
    // A bundler that moves the script leaves the file behind, and a development server answers with a page in its place.
    throw new CountersignError(
      'not_loaded',
      '',
      `the WebAssembly is not at ${shown}: hand its address to \`load({ wasm })\`; with Vite it is the default export of \`countersign/countersign.wasm?url\`, and docs/browser.md has the line for other bundlers`,
      error,
    )
  }
}

/** The address without its query, which may hold a token. Nothing, where it is no address, or has a password. */
function shownAddress(address: string): string | undefined {
  try {
    const { protocol, username, password, host, pathname } = new URL(address, globalThis.location?.href)
    if (username !== '' || password !== '') return undefined
    return /^(?:https?|file|blob):$/.test(protocol) ? `${protocol}//${host}${pathname}`.slice(0, 200) : 'that address'
  } catch {
    return undefined
  }
}

async function compiledFrom(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok)
    throw new CountersignError('not_loaded', '', `the WebAssembly could not be fetched: status ${response.status}`)
  // Streaming needs this type. With another type the module is compiled without streaming.
  const [type] = (response.headers.get('content-type') ?? '').split(';')
  if (type!.trim().toLowerCase() === 'application/wasm') return WebAssembly.compileStreaming(response)
  return WebAssembly.compile(await response.arrayBuffer())
}

/**
 * A set-up as it will look, before anything is saved: from the URI that the server handed out, or
 * from names alone, as a marked sample for choosing them. Sends nothing anywhere.
 *
 * @example
 * ```ts
 * import { previewEnrollment } from 'countersign/browser'
 *
 * export async function draw(target: Element, uri: string): Promise<void> {
 *   const { svg } = await previewEnrollment({ uri })
 *   target.innerHTML = svg
 * }
 * ```
 */
export async function previewEnrollment(source: PreviewSource): Promise<Preview> {
  const given = read(source, '', { uri: optional(text), issuer: optional(text), label: optional(text) })
  const named = given.issuer !== undefined || given.label !== undefined
  if (given.uri !== undefined && named) throw invalid('uri', 'is there, so issuer and label must not be')
  if (given.uri === undefined) for (const name of ['issuer', 'label']) text(given[name], name)
  await load()
  return wiped(() => {
    const names = [given.issuer, given.label] as [string, string]
    const uri = (given.uri as string | undefined) ?? otpauth_format(...names, SAMPLE_SECRET)
    const [issuer, label, secret] = otpauth_parse(uri) as [string, string, string]
    const sample = secret === SAMPLE_SECRET
    const svg = qr(uri)
    return { uri, svg: sample ? marked(svg) : svg, secret: secret.match(/.{1,4}/g)!.join(' '), issuer, label, sample }
  })
}

/** Below the code, so that it can be scanned all the same. */
function marked(svg: string): string {
  return guarded('internal', '', 'the QR code has another form than expected', () => {
    const side = Number(/viewBox="0 -.5 (\d+) \1"/.exec(svg)![1])
    const band = Math.ceil(side / 7)
    return svg
      .replace(`viewBox="0 -.5 ${side} ${side}"`, `viewBox="0 -.5 ${side} ${side + band}"`)
      .replace('aria-label="QR code"', 'aria-label="Sample QR code"')
      .replace(/<path fill="#fff" d="[^"]*"\/>/, `<path fill="#fff" d="M0-.5h${side}v${side + band}H0z"/>`)
      .replace(
        '</svg>',
        `<text x="${side / 2}" y="${side + band * 0.4}" text-anchor="middle" font-family="sans-serif" font-weight="700" font-size="${band * 0.8}" fill="#b00020">SAMPLE</text></svg>`,
      )
  })
}
