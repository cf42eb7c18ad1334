// The files that pages load: those in assets/ and the browser build of the package. They are read once.
// Their address holds a digest of all files, so a browser may cache them for good and never mixes two versions.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'

const own = new URL('assets/', import.meta.url)
const wasm = import.meta.resolve('countersign/countersign.wasm')

/** @type {Map<string, Buffer>} */
const files = new Map([
  ...readdirSync(own)
    .sort()
    .map((name) => /** @type {const} */ ([name, readFileSync(new URL(name, own))])),
  ['countersign/browser.mjs', readFileSync(new URL('browser.mjs', wasm))],
  ['countersign/countersign.wasm', readFileSync(new URL(wasm))],
])
const types = {
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

const hash = createHash('sha256')
for (const [name, bytes] of files) hash.update(`${name}\n${bytes.length}\n`).update(bytes)
const base = `/assets/${hash.digest('base64url').slice(0, 16)}/`

/** The address under which a page loads a file. */
export const asset = (name) => base + name

export function serveAssets(request, response, next) {
  const name = request.path.startsWith(base) ? request.path.slice(base.length) : undefined
  const file = files.get(name)
  if (file === undefined) return next()
  response
    .set({ 'Cache-Control': 'public, max-age=31536000, immutable', 'Content-Type': types[extname(name)] })
    .send(file)
}
