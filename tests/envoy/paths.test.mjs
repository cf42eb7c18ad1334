// Exempt paths and stricter routes, against paths that can be read in two ways.
import assert from 'node:assert/strict'
import { onEach, PASS, passed, refused, SESSION } from './support.mjs'

const config = {
  exempt: { paths: ['/healthz', '/login'], prefixes: ['/assets/'] },
  routes: [{ prefix: '/admin/', maxAge: 60 }],
  challenge: { page: '/login' },
}

// Spellings of /admin and ways out of /assets, as they are written on the wire.
const TRICKS = [
  '//admin/x',
  '/admin//x',
  '/./admin/x',
  '/x/../admin/x',
  '/%61dmin/x',
  '/admin%2fx',
  '/%2fadmin/x',
  '/admin%5cx',
  '/admin\\x',
  '\\admin\\x',
  '/ADMIN/x',
  '/Admin/x',
  '/aDmIn',
  '/admin;v=1/x',
  '/admin;/x',
  ';/admin/x',
  '/;/admin/x',
  '/admin/.;/x',
  '/x/..;/admin/x',
  '/.%2e/admin/x',
  '/%2e/admin/x',
  '/admin%252fx',
  '/%2561dmin/x',
  '/%25%36%31dmin',
  '/admin%00/x',
  '/admin/x%00',
  '/admin%20/x',
  '/admin%09/x',
  '/admin%c0%af',
  '/%c0%ae%c0%ae/admin',
  '/admin%ef%bc%8fx',
  '/admin%u002fx',
  '/assets/../admin/x',
  '/assets/..%2fadmin/x',
  '/assets/%2e%2e/admin/x',
  '/assets/%2e%2e%2fadmin/x',
  '/assets/..%5cadmin/x',
  '/assets/..\\admin/x',
  '/assets/..;/admin/x',
  '/assets/..;x=y/admin/x',
  '/assets/%252e%252e/admin/x',
  '/assets/%252e%252e%252fadmin/x',
  '/assets/.%00./admin/x',
  '/assets/x/../../admin/x',
  '/assets//../admin/x',
  '/assets/./../admin/x',
  '/assets/...//../admin',
  '/assets/%2e%2e%5c%2e%2e%5cadmin',
  '/healthz/../admin/x',
  '/healthz/..;/admin',
  '/healthz%2f..%2fadmin',
  '/healthz%3f/../admin/x',
  '/healthz%23/../admin/x',
  '/healthz;/../admin/x',
]
const NEAR = [
  '/HEALTHZ',
  '/Healthz',
  '/healthz/',
  '/healthz/x',
  '/healthz;x',
  '/healthz;x=y',
  '//healthz',
  '/healthz//',
  '/%68ealthz',
  '/healthz%20',
  '/healthz%00',
  '/healthz%3fx',
  '/healthz%23',
  '/healthz.',
  '/healthzz',
  '/x/healthz',
  '/./healthz',
  '/healthz/.',
  '/x/../healthz',
  '/healthz\\',
  '/healthz%5c',
  '/healthz%2f',
  '/ASSETS/a.css',
  '/Assets/a.css',
  '/assets',
  '/assetsx',
  '/assets;/a.css',
  '//assets/a.css',
  '/%61ssets/a.css',
  '/assets%2fa.css',
  '/assets%5ca.css',
  '/assets\\a.css',
  '/assets%252fa.css',
  '/x/../assets/a.css',
  '/;/assets/a.css',
  '/assets/a;b',
  '/assets/a%2e',
  '/assets/a%20b',
  '/assets//a',
  '/assets/.',
  '/assets/./a',
]

await onEach(
  {
    config,
    listeners: { raw: { config, clean: false } },
  },
  (gate, test) => {
    /** Follows Envoy's own redirect of escaped slashes, as a client would. */
    const walk = async (options) => {
      let answer = await gate.visit(options)
      for (let hops = 0; answer.status === 307 && hops < 5; hops += 1)
        answer = await gate.visit({ ...options, path: answer.get('location').replace(/^https?:\/\/[^/]*/, '') })
      return answer
    }

    for (const listener of ['main', 'raw']) {
      const how = listener === 'raw' ? ', in an Envoy that cleans nothing' : ''

      test(`T27 no spelling makes a guarded path exempt${how}`, async () => {
        for (const path of TRICKS) {
          const before = gate.upstream.count
          const answer = await walk({ listener, path })
          // A path that Envoy cleans into an exempt one is exempt; then the cleaned path reached the upstream.
          if (answer.status === 200) assert.match(answer.json.path, /^\/(assets\/[\w./]*|healthz)$/, path)
          else assert.ok([400, 401].includes(answer.status), `${path}: ${answer.status}`)
          if (answer.status !== 200) assert.equal(gate.upstream.count, before, path)
          if (answer.status === 200)
            assert.doesNotMatch(answer.json.path, /\/\.\.(\/|$)/, `${path} reached the upstream as ${answer.json.path}`)
        }
      })

      test(`T27 no spelling evades a stricter route${how}`, async () => {
        const old = await gate.mint({ at: gate.clock() - 61 })
        for (const path of TRICKS) {
          const answer = await walk({ listener, path, pass: old })
          if (answer.status !== 200) {
            assert.ok([400, 401].includes(answer.status), `${path}: ${answer.status}`)
            continue
          }
          // An old pass is admitted only on paths that no server takes for /admin.
          assert.doesNotMatch(
            decodeURIComponent(answer.json.path.replace(/%(?![0-9a-f]{2})/gi, '%25').replace(/%(c0|ef|00)[^/]*/gi, '')),
            /^[/\\;.]*admin([/\\;%]|$)/i,
            `${path} reached the upstream as ${answer.json.path}`,
          )
        }
      })

      test(`T27 a path that only resembles an exempt one is guarded${how}`, async () => {
        for (const path of NEAR) {
          const answer = await walk({ listener, path })
          if (answer.status === 200)
            assert.ok(
              listener === 'main' && /^\/(assets\/[\w./]*|healthz)$/.test(answer.json.path),
              `${path} went on as ${answer.json.path}`,
            )
          else assert.ok([400, 401].includes(answer.status), `${path}: ${answer.status}`)
        }
      })
    }

    test('T27 a path that no rule names is guarded', async () => {
      for (const path of [
        '/',
        '/index.html',
        '/new',
        '/api/v2/secret',
        '/.well-known/x',
        '/favicon.ico',
        '/*',
        '/?/healthz',
        '/?x=/assets/',
        '/x?/../healthz',
        '/%',
        '/%zz',
      ]) {
        refused(await gate.visit({ path }), 401, 'no_pass')
      }
      const star = await gate.visit({ method: 'OPTIONS', path: '*' })
      assert.ok([400, 401, 404].includes(star.status), String(star.status))
      const absolute = await gate.visit({ path: 'http://app.acme.example/secret' })
      refused(absolute, 401, 'no_pass')
      const connect = await gate.send({ method: 'CONNECT', path: 'app.acme.example:443' })
      assert.notEqual(connect.status, 200)
    })

    test('T35 the return target is a path of this site, or the front page', async () => {
      const headers = [
        ['accept', 'text/html'],
        ['cookie', `${SESSION}=s1`],
      ]
      const next = async (listener, path, host) => {
        const answer = await gate.send({ listener, path, host, headers })
        // Envoy's own answers: a redirect of escaped slashes, a bad request, a scheme other than the connection's.
        if ([307, 400, 403].includes(answer.status) && answer.get('content-type') !== 'application/json')
          return undefined
        assert.equal(answer.status, 303, path)
        const location = answer.get('location')
        const [, target] =
          /^\/login\?next=([^&]*)&reason=no_pass(&max_age=60)?$/.exec(location) ?? assert.fail(location)
        return decodeURIComponent(target)
      }
      for (const good of ['/reports?year=2026&q=%2F', '/a/b/', '/caf%C3%A9', '/a%20b?next=//x'])
        assert.equal(await next('raw', good), good)
      for (const bad of [
        '//evil.example',
        '//evil.example/x',
        '/\\evil.example',
        '\\\\evil.example',
        '/%2f/evil.example',
        '/%2Fevil.example',
        '/%5cevil.example',
        '/%5Cevil.example',
        '/%252f/evil.example',
        '///evil.example',
        '/./\\evil.example',
        '/..//evil.example',
        '/%2e%2e//evil.example',
        '/.//evil.example',
        '/x%0d%0aset-cookie:a=b',
        '/x%00',
        '/\xe9',
        '/\xff',
        '/a;b',
        '/a?x\\y',
        '/%09/evil.example',
        '/@evil.example//x',
      ]) {
        for (const listener of ['main', 'raw']) {
          const target = await next(listener, bad)
          if (target === undefined) continue
          // A browser on this site stays on it in every case.
          const url = new URL(target, 'https://app.acme.example')
          assert.equal(url.origin, 'https://app.acme.example', bad)
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
          assert.doesNotMatch(target, /[\\\x00-\x20]|^\/\/|^\/[%;]/, bad)
          if (listener === 'raw') assert.equal(target, '/', bad)
        }
      }
      for (const absolute of ['http://evil.example/x', 'https://evil.example/x', 'http://evil.example//x']) {
        const target = await next('main', absolute)
        if (target !== undefined) assert.ok(target === '/x' || target === '/', target)
      }
      assert.notEqual((await gate.send({ path: 'javascript:alert(1)', headers })).status, 200)
      // The host that the client names is not in the answer either.
      assert.equal(await next('main', '/x', 'evil.example'), '/x')
    })

    test('T35 a long return target becomes the front page', async () => {
      const answer = await gate.send({ path: `/${'a'.repeat(5_000)}`, headers: [['accept', 'text/html']] })
      assert.equal(answer.get('location'), `/login?next=${encodeURIComponent('/')}&reason=no_pass`)
    })

    test('the query reaches the upstream unchanged and matches no rule', async () => {
      const pass = await gate.mint()
      for (const query of ['a=1&a=2', 'x=%00', '%', '/../', '?', '\xff']) {
        const answer = await gate.visit({ path: `/x?${query}`, pass })
        assert.ok(answer.status === 400 || passed(answer).path.startsWith('/x?'), query)
      }
      passed(await gate.send({ path: `/healthz?${PASS}=x` }))
    })
  },
)
