// The upstream: a company's intranet without a line about two-factor authentication. It shows the user whom
// the gate names. The gate strips these headers from the requests of clients and sets them itself, so the
// intranet may believe them, as long as every request comes through the gate: hence 127.0.0.1.

import { createServer } from 'node:http'

const port = Number(process.env.INTRANET_PORT ?? 4000)

const pages = {
  '/': ['Intranet', 'News from the kitchen: the coffee machine has been mended.'],
  '/payroll/': ['Payroll', 'Your salary for this month has been paid.'],
}

const server = createServer((request, response) => {
  const [pathname] = request.url.split('?')
  const page = pages[pathname]
  const body = render(page ?? ['Not found', 'There is no such page.'], pathname, request.headers)
  response.writeHead(page ? 200 : 404, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    'x-content-type-options': 'nosniff',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
})

server.listen(port, '127.0.0.1', () => console.log(`The intranet listens on http://127.0.0.1:${server.address().port}`))
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close()
    server.closeAllConnections()
  })
}

function render([title, text], path, headers) {
  const at = Number(headers['x-second-factor-at'])
  const rows = [
    ['User', headers['x-second-factor-sub']],
    ['Shown by', headers['x-second-factor-method']],
    ['Kinds of proof', headers['x-second-factor-amr']?.replaceAll(',', ', ')],
    ['At', at ? new Date(at * 1000).toISOString().replace('T', ' ').replace('.000Z', ' UTC') : undefined],
  ].filter(([, value]) => value !== undefined)
  const who = rows.length
    ? `<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`
    : '<p>Nobody: the gate says no name. It is off, or only watching.</p>'
  const link = (/** @type {[string, string[]]} */ [to, [name]]) =>
    `<a href="${to}"${to === path ? ' aria-current="page"' : ''}>${name}</a>`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – Acme</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 46rem; padding: 0 1rem 4rem; }
nav { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; padding: 1rem 0; border-bottom: 1px solid GrayText; }
[aria-current] { font-weight: bold; }
h1 { font-size: 1.6rem; }
h2 { font-size: 1.2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: 0; }
dt { opacity: .75; }
dd { margin: 0; overflow-wrap: anywhere; }
section { margin-top: 2rem; padding: 0 1rem 1rem; border: 1px solid GrayText; border-radius: .5rem; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; } }
</style>
</head>
<body>
<nav aria-label="Pages">${Object.entries(pages).map(link).join('')}<a href="/security">Security</a></nav>
<main>
<h1>${title}</h1>
<p>${text}</p>
<section>
<h2>Who the gate says is there</h2>
${who}
</section>
</main>
</body>
</html>
`
}

function escapeHtml(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
