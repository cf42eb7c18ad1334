// Replaces, in a page, the parts of Node that the shared tests of tests/node use: `node:test`, `node:assert/strict`,
// `node:fs` and `node:crypto`. The last sends its work to Node, in the test's own server.

const results = []
let running = Promise.resolve()

/** Runs a test after those declared before it. */
export function test(name, job) {
  running = running.then(() => attempt(name, job))
  return running
}
export default test

async function attempt(name, job) {
  try {
    await job({ test: (inner, work) => attempt(`${name} › ${inner}`, work) })
    results.push({ name })
  } catch (error) {
    results.push({ name, error: `${error.message}\n${error.stack}` })
  }
}

/** The results of the tests declared so far, each with its error if it failed. */
globalThis.finished = async () => {
  await running
  return results
}

export * from '../shared/plain-assert.mjs'

// node:fs: the files of tests/, by their address in this page (import.meta.url).
const fileOf = (url) => decodeURIComponent(new URL(url).pathname).slice(1)
export const readFileSync = (url) => globalThis.testFiles[fileOf(url)] ?? missing(url)
const missing = (url) => {
  throw new Error(`no file ${url}`)
}
export const readdirSync = (url) =>
  Object.keys(globalThis.testFiles)
    .filter((name) => name.startsWith(fileOf(url)))
    .map((name) => name.slice(fileOf(url).length))

// The used part of Buffer.
class Buffer extends Uint8Array {
  static alloc(size) {
    return new Buffer(size)
  }
  static from(content, encoding) {
    const buffer = (bytes) => new Buffer(bytes)
    if (encoding === 'base64url')
      return buffer([...atob(content.replaceAll('-', '+').replaceAll('_', '/'))].map((letter) => letter.charCodeAt(0)))
    return buffer([...(typeof content === 'string' ? new TextEncoder().encode(content) : content)])
  }
  readUInt32BE(at) {
    return new DataView(this.buffer).getUint32(at)
  }
  toString(encoding) {
    if (encoding !== 'base64url') throw new Error('only base64url')
    return btoa(String.fromCharCode(...this))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '')
  }
}
Object.assign(globalThis, { Buffer })

// node:crypto, synchronous as in Node: a synchronous request lets the test's server compute.
function node(question) {
  const request = new XMLHttpRequest()
  request.open('POST', '/node-crypto', false)
  request.send(JSON.stringify(question))
  if (request.status !== 200) throw new Error(`node:crypto: ${request.status}`)
  return request.responseText
}
const wire = (bytes) => Buffer.from(bytes).toString('base64url')

export const createPrivateKey = ({ key }) => key
export const createPublicKey = (key) => ({ export: () => JSON.parse(node({ publicOf: key })) })
export const sign = (_, input, key) => Buffer.from(node({ sign: wire(input), key }), 'base64url')
export const createHmac = (algorithm, key) => ({
  update: (data) => ({
    digest(encoding) {
      const mac = Buffer.from(node({ hmac: algorithm, key: wire(key), data: wire(data) }), 'base64url')
      return encoding === undefined ? mac : mac.toString(encoding)
    },
  }),
})
