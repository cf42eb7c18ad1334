// The image of the filter that gateways pull, and the manifests and configurations in the documentation.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { generateKeys } from 'countersign'
import { parse, parseAllDocuments } from 'yaml'
import { fieldsOf, MAKERS } from '../../packaging/crd-fields.mjs'
import { at, freePorts } from '../../scripts/common.mjs'
import { envoyBinary, OLDEST_ENVOY } from '../../scripts/envoy.mjs'
import { packageEnvoy } from '../../scripts/package-envoy.mjs'
import { host, login, rules, withApp } from '../node/support.mjs'

const hex = (bytes) => createHash('sha256').update(bytes).digest('hex')
const readYaml = (path) =>
  parseAllDocuments(readFileSync(at(path), 'utf8')).map((document) => {
    assert.deepEqual([...document.errors, ...document.warnings], [], path)
    return document.toJS()
  })

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'packaging-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Packages bytes that stand for the filter: more than one block of gzip, and no round number. */
function packaged(t, wasm = Buffer.alloc(200_003, 'filter')) {
  const filter = join(folder(t), 'countersign-envoy.wasm')
  writeFileSync(filter, wasm)
  return { filter, wasm, image: join(filter, '../image'), sums: packageEnvoy(filter) }
}

function readImage(path) {
  const json = (...parts) => JSON.parse(readFileSync(join(path, ...parts), 'utf8'))
  const blob = ({ digest, size }) => {
    const bytes = readFileSync(join(path, 'blobs/sha256', digest.replace('sha256:', '')))
    assert.equal(`sha256:${hex(bytes)}`, digest)
    assert.equal(bytes.length, size)
    return bytes
  }
  const index = json('index.json')
  const manifest = JSON.parse(blob(index.manifests[0]))
  return {
    layout: json('oci-layout'),
    index,
    manifest,
    config: JSON.parse(blob(manifest.config)),
    layers: manifest.layers.map(blob),
  }
}

test('sha256sum accepts the checksum beside the filter', (t) => {
  const { filter, wasm, sums } = packaged(t)
  assert.equal(sums.wasm, hex(wasm))
  assert.equal(readFileSync(`${filter}.sha256`, 'utf8'), `${sums.wasm}  countersign-envoy.wasm\n`)
  execFileSync('sha256sum', ['--check', '--strict', `${filter}.sha256`], { cwd: join(filter, '..') })
})

test('the image has one layer with one file, in the media types that Istio and Envoy Gateway take', (t) => {
  const { image, wasm, sums } = packaged(t)
  const { layout, index, manifest, config, layers } = readImage(image)
  assert.deepEqual(layout, { imageLayoutVersion: '1.0.0' })
  assert.equal(index.schemaVersion, 2)
  assert.deepEqual(
    index.manifests.map(({ mediaType, digest }) => [mediaType, digest]),
    [['application/vnd.oci.image.manifest.v1+json', `sha256:${sums.image}`]],
  )
  assert.equal(manifest.config.mediaType, 'application/vnd.oci.image.config.v1+json')
  assert.deepEqual(
    manifest.layers.map(({ mediaType }) => mediaType),
    ['application/vnd.oci.image.layer.v1.tar+gzip'],
  )
  assert.deepEqual(config.rootfs, { type: 'layers', diff_ids: [`sha256:${hex(gunzipSync(layers[0]))}`] })
  // The folder holds the blobs that the manifest names, and no other.
  assert.equal(readdirSync(join(image, 'blobs/sha256')).length, 3)

  const tar = (...args) =>
    execFileSync('tar', args, { input: layers[0], maxBuffer: 1 << 24, env: { ...process.env, TZ: 'UTC' } })
  assert.match(String(tar('-tvzf', '-')), /^-rw-r--r-- (root\/root|0\/0) +200003 1970-01-01 00:00 plugin\.wasm\n$/)
  assert.ok(tar('-xzOf', '-', 'plugin.wasm').equals(wasm))
})

test('the same filter gives the same image, to the last byte', (t) => {
  const [one, other] = [packaged(t), packaged(t)]
  assert.deepEqual(one.sums, other.sums)
  assert.equal(
    readFileSync(join(one.image, 'index.json'), 'utf8'),
    readFileSync(join(other.image, 'index.json'), 'utf8'),
  )
  assert.notEqual(packaged(t, Buffer.from('another')).sums.image, one.sums.image)
  // A fixed digest, so that a change by another compressor or by the clock is noticed on every machine.
  assert.equal(
    readImage(one.image).manifest.layers[0].digest,
    'sha256:7083ce3d1375f5d196efcdaf9885fb234401c8c313dc85e7c4cb85467cd46720',
  )
})

test('skopeo reads and copies the image', (t) => {
  const { image, sums } = packaged(t)
  const seen = JSON.parse(execFileSync('skopeo', ['inspect', `oci:${image}`], { encoding: 'utf8' }))
  assert.equal(seen.Digest, `sha256:${sums.image}`)
  assert.equal(seen.Layers.length, 1)
  const copy = join(folder(t), 'copy')
  execFileSync('skopeo', ['copy', '--quiet', `oci:${image}`, `dir:${copy}`])
  assert.equal(hex(readFileSync(join(copy, 'manifest.json'))), sums.image)
})

// The fields that the manifests have, each with its form. No npm package has the CRDs, and Kubernetes drops a
// misspelt field without a word. packaging/crd-fields.json has the fields that the CRDs know.
const one =
  (...values) =>
  (value) =>
    values.includes(value)
const text = (value) => typeof value === 'string' && value !== ''
const flag = one(true, false)
const digest = (value) => /^[a-f0-9]{64}$/.test(value)
const duration = (value) => /^(\d{1,5}(h|m|s|ms)){1,4}$/.test(value)
const anything = () => true
const gateway = { group: one('gateway.networking.k8s.io'), kind: one('Gateway'), name: text }
const metadata = { name: text, namespace: text }

const manifests = {
  WasmPlugin: {
    apiVersion: one('extensions.istio.io/v1alpha1'),
    kind: text,
    metadata,
    spec: {
      targetRefs: [gateway],
      url: text,
      sha256: digest,
      phase: one('AUTHN', 'AUTHZ', 'STATS'),
      failStrategy: one('FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'),
      vmConfig: { env: [{ name: text, valueFrom: one('INLINE', 'HOST') }] },
      pluginConfig: anything,
    },
  },
  EnvoyProxy: {
    apiVersion: one('gateway.envoyproxy.io/v1alpha1'),
    kind: text,
    metadata,
    spec: {
      provider: {
        type: one('Kubernetes'),
        kubernetes: {
          envoyDeployment: {
            container: { env: [{ name: text, valueFrom: { secretKeyRef: { name: text, key: text } } }] },
          },
        },
      },
    },
  },
  ClientTrafficPolicy: {
    apiVersion: one('gateway.envoyproxy.io/v1alpha1'),
    kind: text,
    metadata,
    spec: {
      targetRefs: [gateway],
      path: {
        escapedSlashesAction: one('KeepUnchanged', 'RejectRequest', 'UnescapeAndForward', 'UnescapeAndRedirect'),
        disableMergeSlashes: flag,
      },
      headers: { withUnderscoresAction: one('Allow', 'RejectRequest', 'DropHeader') },
      timeout: { http: { requestReceivedTimeout: duration } },
    },
  },
  BackendTrafficPolicy: {
    apiVersion: one('gateway.envoyproxy.io/v1alpha1'),
    kind: text,
    metadata,
    spec: { targetRefs: [gateway], timeout: { http: { requestTimeout: one('0s'), maxStreamDuration: duration } } },
  },
  EnvoyFilter: {
    apiVersion: one('networking.istio.io/v1alpha3'),
    kind: text,
    metadata,
    spec: {
      targetRefs: [gateway],
      configPatches: [
        {
          applyTo: one('NETWORK_FILTER'),
          match: { context: one('GATEWAY'), listener: { filterChain: { filter: { name: text } } } },
          patch: { operation: one('MERGE'), value: anything },
        },
      ],
    },
  },
  EnvoyExtensionPolicy: {
    apiVersion: one('gateway.envoyproxy.io/v1alpha1'),
    kind: text,
    metadata,
    spec: {
      targetRefs: [gateway],
      wasm: [
        {
          name: text,
          code: { type: one('Image', 'HTTP'), image: { url: text, sha256: digest } },
          failOpen: flag,
          env: { hostKeys: [text] },
          config: anything,
        },
      ],
    },
  },
  Service: {
    apiVersion: one('v1'),
    kind: text,
    metadata,
    spec: { selector: { app: text }, ports: [{ name: text, port: one(80), targetPort: one(3000) }] },
  },
  HTTPRoute: {
    apiVersion: one('gateway.networking.k8s.io/v1'),
    kind: text,
    metadata,
    spec: {
      parentRefs: [{ name: text }],
      hostnames: [text],
      rules: [
        { matches: [{ path: { type: one('Exact'), value: text } }], backendRefs: [{ name: text, port: one(80) }] },
      ],
    },
  },
}

function fits(value, shape, path) {
  if (typeof shape === 'function') return assert.ok(shape(value), `${path} is ${JSON.stringify(value)}`)
  if (Array.isArray(shape)) {
    assert.ok(Array.isArray(value) && value.length > 0, path)
    for (const [index, item] of value.entries()) fits(item, shape[0], `${path}[${index}]`)
    return
  }
  assert.deepEqual(Object.keys(value).sort(), Object.keys(shape).sort(), path)
  for (const key in shape) fits(value[key], shape[key], `${path}.${key}`)
}

const istio = readYaml('packaging/istio.yaml')
const envoyGateway = readYaml('packaging/envoy-gateway.yaml')
const [plugin, cap] = istio
const [proxy, traffic, , extension] = envoyGateway
const SECRETS = ['COUNTERSIGN_KEYS', 'COUNTERSIGN_STORAGE_TOKEN']

test('the manifests have the fields of their kinds and no other', () => {
  assert.deepEqual(
    istio.map(({ kind }) => kind),
    ['WasmPlugin', 'EnvoyFilter', 'Service'],
  )
  assert.deepEqual(
    envoyGateway.map(({ kind }) => kind),
    ['EnvoyProxy', 'ClientTrafficPolicy', 'BackendTrafficPolicy', 'EnvoyExtensionPolicy', 'HTTPRoute'],
  )
  for (const manifest of [...istio, ...envoyGateway]) fits(manifest, manifests[manifest.kind], manifest.kind)
})

const crdFields = JSON.parse(readFileSync(at('packaging/crd-fields.json'), 'utf8'))
const newer = (one, other) => Number(one.split('.')[1]) > Number(other.split('.')[1])

/** The fields of resources that a version's CRDs know, with the words that they allow; and those that none knows. */
function minimumOf(resources, fields) {
  const used = new Set()
  const unknown = []
  for (const [path, words] of resources.flatMap((resource) => [...fieldsOf(resource)])) {
    const isEnum = Object.keys(fields).some((field) => field.startsWith(`${path}=`))
    for (const field of [path, ...(isEnum ? words.map((word) => `${path}=${word}`) : [])]) {
      used.add(field)
      if (!fields[field]) unknown.push(field)
    }
  }
  const versions = [...used].map((field) => fields[field]).filter(Boolean)
  return { minimum: versions.reduce((one, other) => (newer(other, one) ? other : one)), unknown, used }
}

for (const [maker, { manifest, group }] of Object.entries(MAKERS)) {
  test(`G12: ${manifest} names the version of ${maker} that brought the last of its fields`, () => {
    const { fields } = crdFields[maker]
    const resources = readYaml(`packaging/${manifest}`).filter(({ apiVersion }) => group.test(apiVersion))
    const { minimum, unknown, used } = minimumOf(resources, fields)
    assert.deepEqual(unknown, [], 'no version has it, or packaging/crd-fields.mjs was not run since')
    assert.deepEqual(Object.keys(fields).sort(), [...used].sort(), 'run packaging/crd-fields.mjs')
    for (const path of [`packaging/${manifest}`, 'packaging/README.md']) {
      const named = new RegExp(`${maker} (1\\.\\d+) or newer`).exec(readFileSync(at(path), 'utf8'))
      assert.equal(named?.[1], minimum, path)
    }
  })
}

test('G12: a field of a later version, or a word that the CRD does not allow, is noticed', () => {
  const { fields } = crdFields['Envoy Gateway']
  const changed = structuredClone(traffic)
  changed.spec.timeout.http.requestHeadersReceivedTimeout = '10s'
  changed.spec.headers.withUnderscoresAction = 'Reject'
  assert.deepEqual(minimumOf([changed], fields).unknown, [
    'ClientTrafficPolicy.spec.headers.withUnderscoresAction=Reject',
    'ClientTrafficPolicy.spec.timeout.http.requestHeadersReceivedTimeout',
  ])
  assert.equal(minimumOf([extension], fields).minimum, '1.3', 'without the cap, the environment of the filter decides')
  // The oldest Envoy in the tests is the one that the manifest speaks of.
  const oldest = OLDEST_ENVOY.split('.').slice(0, 2).join('.')
  assert.ok(readFileSync(at('packaging/envoy-gateway.yaml'), 'utf8').includes(`older than ${oldest},`))
})

test('the manifests close the gate when it fails, and hold no secret', () => {
  const [wasm] = extension.spec.wasm
  assert.equal(plugin.spec.failStrategy, 'FAIL_RELOAD')
  assert.equal(wasm.failOpen, false)
  assert.deepEqual(
    plugin.spec.vmConfig.env,
    SECRETS.map((name) => ({ name, valueFrom: 'HOST' })),
  )
  assert.deepEqual(wasm.env.hostKeys, SECRETS)
  assert.deepEqual(
    proxy.spec.provider.kubernetes.envoyDeployment.container.env.map(({ name, valueFrom }) => [
      name,
      valueFrom.secretKeyRef.key,
    ]),
    SECRETS.map((name) => [name, name]),
  )
  assert.equal(traffic.spec.path.escapedSlashesAction, 'UnescapeAndRedirect')
  assert.equal(traffic.spec.headers.withUnderscoresAction, 'RejectRequest')
  // Both gateways get the same rules.
  const rules = ({ verify, revocation, ...rest }) => rest
  assert.deepEqual(rules(plugin.spec.pluginConfig), rules(wasm.config))
})

// From here on the real Envoy and the real filter.

const filterConfigs = {
  'packaging/istio.yaml': plugin.spec.pluginConfig,
  'packaging/envoy-gateway.yaml': extension.spec.wasm[0].config,
}
const [snippet, another] = ['examples/envoy/README.md', 'docs/gate.md'].map(
  (path) => /```yaml\n(- name: countersign\n[\s\S]*?)```/.exec(readFileSync(at(path), 'utf8'))?.[1],
)

/** Runs Envoy's own validation, which loads the filter and lets it read its configuration. */
function validate(t, config) {
  const file = join(folder(t), 'envoy.json')
  writeFileSync(file, JSON.stringify(config))
  const env = {
    ...process.env,
    COUNTERSIGN_KEYS: JSON.stringify(generateKeys()),
    COUNTERSIGN_STORAGE_TOKEN: 'x'.repeat(32),
  }
  return execFileSync(envoyBinary(), ['--mode', 'validate', '--config-path', file], {
    cwd: at('.'),
    env,
    encoding: 'utf8',
    stdio: 'pipe',
  })
}

const example = readYaml('examples/envoy/envoy.yaml')[0]
const manager = (config) => config.static_resources.listeners[0].filter_chains[0].filters[0].typed_config

/** The example with another filter in it. */
function withFilter(change) {
  const config = structuredClone(example)
  const { http_filters: filters } = manager(config)
  const index = filters.findIndex(({ name }) => name === 'countersign')
  filters[index] = change(filters[index])
  return config
}

test('the filter accepts every configuration in the documentation', (t) => {
  assert.match(validate(t, example), /OK/)
  assert.match(validate(t, readYaml('examples/envoy/jwt-authn.yaml')[0]), /OK/)
  assert.ok(snippet, 'the README of the example shows the short form')
  assert.equal(another, snippet, 'so does the guide of the gate')
  assert.match(
    validate(
      t,
      withFilter(() => parse(snippet)[0]),
    ),
    /OK/,
  )
  for (const [path, configuration] of Object.entries(filterConfigs)) {
    const config = withFilter((filter) => {
      filter.typed_config.config.configuration.value = JSON.stringify(configuration)
      return filter
    })
    assert.match(validate(t, config), /OK/, path)
  }
  const capped = structuredClone(example)
  const { '@type': type, ...settings } = cap.spec.configPatches[0].patch.value.typed_config
  assert.equal(type, manager(capped)['@type'])
  const { common_http_protocol_options: options, ...others } = settings
  assert.deepEqual(others, {})
  Object.assign(manager(capped).common_http_protocol_options, options)
  assert.match(validate(t, capped), /OK/)
  // The validation finds a mistake.
  assert.throws(() =>
    validate(
      t,
      withFilter((filter) => {
        filter.typed_config.config.configuration.value = '{"v":1,"mod":"shadow"}'
        return filter
      }),
    ),
  )
})

test('the example guards paths, headers and failures as it says', () => {
  const {
    use_remote_address,
    normalize_path,
    merge_slashes,
    path_with_escaped_slashes_action,
    common_http_protocol_options,
    http_filters,
    route_config,
  } = manager(example)
  assert.deepEqual(
    [use_remote_address, normalize_path, merge_slashes, path_with_escaped_slashes_action],
    [true, true, true, 'UNESCAPE_AND_REDIRECT'],
  )
  assert.equal(common_http_protocol_options.headers_with_underscores_action, 'REJECT_REQUEST')
  assert.deepEqual(
    http_filters.map(({ name }) => name),
    ['envoy.filters.http.cors', 'countersign', 'envoy.filters.http.router'],
  )
  const { config } = http_filters[1].typed_config
  assert.equal(config.failure_policy, 'FAIL_RELOAD')
  // The exempt paths go to the login service and to no other.
  const { exempt } = JSON.parse(config.configuration.value)
  const routes = route_config.virtual_hosts[0].routes
  const toLogin = routes.filter(({ route }) => route?.cluster === 'login').map(({ match }) => match)
  for (const path of exempt.paths)
    assert.ok(
      toLogin.some((match) => match.path === path || match.path_separated_prefix === path),
      path,
    )
  for (const prefix of exempt.prefixes)
    assert.ok(
      toLogin.some((match) => `${match.path_separated_prefix}/` === prefix),
      prefix,
    )
  assert.deepEqual(routes[0], { match: { prefix: '/internal/' }, direct_response: { status: 404 } })
  // Requests of clients to the login service cannot crowd out the filter's own calls.
  const { verify, revocation } = JSON.parse(config.configuration.value)
  assert.deepEqual([verify.cluster, revocation.cluster], ['login-storage', 'login-storage'])
  assert.ok(routes.every(({ route }) => route?.cluster !== 'login-storage'))
})

test('Envoy’s own JWT filter accepts a pass, and only a pass', async (t) => {
  const config = readYaml('examples/envoy/jwt-authn.yaml')[0]
  const filter = manager(config).http_filters.find(({ name }) => name.endsWith('jwt_authn'))
  const { countersign: provider } = filter.typed_config.providers
  const service = await host({ policy: rules({ origin: provider.issuer }), clock: realClock() })
  const person = await withApp(service)
  const { pass } = await login(service, person)
  provider.local_jwks.inline_string = JSON.stringify(await service.factor.jwks())

  const upstream = createServer((request, response) => response.end(request.headers['x-second-factor-sub'] ?? 'nobody'))
  const listening = (server) =>
    new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
  const upstreamPort = await listening(upstream)
  const [port] = await freePorts(1)
  delete config.admin
  config.static_resources.listeners[0].address.socket_address.port_value = port
  config.static_resources.clusters[0].load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value =
    upstreamPort
  const file = join(folder(t), 'envoy.json')
  writeFileSync(file, JSON.stringify(config))
  const envoy = spawn(
    envoyBinary(),
    ['-c', file, '--concurrency', '1', '--log-level', 'error', '--use-dynamic-base-id'],
    { stdio: 'inherit' },
  )
  t.after(async () => {
    envoy.kill('SIGKILL')
    upstream.closeAllConnections()
    await new Promise((resolve) => upstream.close(resolve))
  })

  const get = async (headers, path = '/') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    return [response.status, await response.text()]
  }
  for (const end = Date.now() + 30_000; !(await get({}).catch(() => undefined)); )
    assert.ok(Date.now() < end && envoy.exitCode === null, 'Envoy did not start')
  assert.deepEqual(await get({ cookie: `second-factor=${pass}` }), [200, person.user])
  assert.deepEqual(await get({ cookie: `second-factor=${pass}`, 'x-second-factor-sub': 'root' }), [200, person.user])
  assert.equal((await get({ 'x-second-factor-sub': 'root' }))[0], 401)
  const [head, , signature] = pass.split('.')
  const forged = Buffer.from(
    JSON.stringify({ iss: provider.issuer, aud: provider.audiences[0], sub: 'root', exp: 4_000_000_000 }),
  ).toString('base64url')
  assert.equal((await get({ cookie: `second-factor=${head}.${forged}.${signature}` }))[0], 401)
  // A ticket opens the second step only: it has another audience.
  const { ticket } = await service.factor.begin({ user: person.user, session: 'before' })
  assert.equal((await get({ cookie: `second-factor=${ticket}` }))[0], 403)
})

/** A clock that starts some minutes ago and is moved by hand, because Envoy's clock cannot be moved here. */
function realClock() {
  let now = Math.floor(Date.now() / 1000) - 600
  return Object.assign(() => now, { advance: (seconds) => (now += seconds) })
}
