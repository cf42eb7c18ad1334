// A web site for the tests of the browser build: a page, and the package's two files.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const built = (name) => readFileSync(fileURLToPath(new URL(`../../pkg/${name}`, import.meta.url)))

export const WASM = "script-src 'self' 'wasm-unsafe-eval'"
const rest =
  "; connect-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/**
 * Serves `body` as /, scripts and other files by `files` ({ path: [type, content] or a handler }).
 * `requests` lists the paths asked for.
 */
export async function site(t, { body = '', scripts = WASM, files = {} } = {}) {
  const requests = []
  const html = `<!doctype html><html lang="en"><head><title>Test</title><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"></head><body><main><h1>Test</h1>${body}</main></body></html>`
  const all = {
    '/': ['text/html', html],
    '/browser.mjs': ['text/javascript', built('browser.mjs')],
    '/countersign.wasm': ['application/wasm', built('countersign.wasm')],
    ...files,
  }
  const server = createServer((request, response) => {
    requests.push(request.url)
    const file = all[request.url]
    if (typeof file === 'function') return file(request, response)
    response.writeHead(file ? 200 : 404, {
      'content-type': file?.[0] ?? 'text/plain',
      'content-security-policy': `default-src 'none'; ${scripts}${rest}`,
    })
    response.end(file?.[1])
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  t.after(() => server.closeAllConnections() ?? server.close())
  return { requests, origin: `http://127.0.0.1:${server.address().port}` }
}
