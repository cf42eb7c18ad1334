// Which version of Envoy Gateway and of Istio brought each field of the manifests: writes crd-fields.json from the
// CRDs of every minor version. By hand, after a change of the manifests, with clones that have all tags:
//
//   node packaging/crd-fields.mjs path/to/envoyproxy/gateway path/to/istio/api
//
// tests/envoy/packaging.test.mjs compares the file with the manifests and with the versions that they name.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { parseAllDocuments } from 'yaml'

const local = (name) => new URL(name, import.meta.url)

/** The makers of kinds: their manifest, and where a version's CRDs are in their repository. */
export const MAKERS = {
  'Envoy Gateway': {
    manifest: 'envoy-gateway.yaml',
    group: /^gateway\.envoyproxy\.io\//,
    tag: /^v(1\.\d+)\.0$/,
    files: /^charts\/gateway-helm\/(charts\/crds\/)?crds\/generated\/gateway\.envoyproxy\.io_\w+\.yaml$/,
  },
  Istio: {
    manifest: 'istio.yaml',
    group: /\.istio\.io\//,
    tag: /^(1\.\d+)\.0$/,
    files: /^kubernetes\/customresourcedefinitions\.gen\.yaml$/,
  },
}

// The content of these is free, to the CRD.
const FREE = [
  'EnvoyExtensionPolicy.spec.wasm.config',
  'WasmPlugin.spec.pluginConfig',
  'EnvoyFilter.spec.configPatches.patch.value',
]

/** The fields that a resource uses, as `Kind.spec.a.b`, each with its values where these are words. */
export function fieldsOf({ kind, spec }) {
  const found = new Map()
  const walk = (value, path) => {
    const words = found.get(path) ?? found.set(path, []).get(path)
    if (FREE.includes(path)) return
    if (Array.isArray(value)) for (const item of value) walk(item, path)
    else if (value !== null && typeof value === 'object') {
      for (const [name, inner] of Object.entries(value)) walk(inner, `${path}.${name}`)
    } else if (typeof value === 'string') words.push(value)
  }
  walk(spec, `${kind}.spec`)
  return found
}

/** The part of a CRD's schema at a path, through lists. */
function schemaAt(crd, version, path) {
  let schema = crd?.spec.versions.find(({ name }) => name === version)?.schema?.openAPIV3Schema
  for (const name of path.split('.').slice(1)) {
    while (schema?.items) schema = schema.items
    schema = schema?.properties?.[name] ?? schema?.additionalProperties
  }
  while (schema?.items) schema = schema.items
  return schema
}

const byNumber = (one, two) => Number(one.split('.')[1]) - Number(two.split('.')[1])

function fieldsWithVersions({ manifest, group, tag, files }, repository) {
  const git = (...args) =>
    execFileSync('git', ['-C', repository, ...args], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  const tags = git('tag')
    .split('\n')
    .filter((name) => tag.test(name))
  const versions = tags.map((name) => [tag.exec(name)[1], name]).sort(([one], [two]) => byNumber(one, two))
  const documents = parseAllDocuments(readFileSync(local(manifest), 'utf8')).map((document) => document.toJS())
  const ours = documents.filter(({ apiVersion }) => group.test(apiVersion))
  const fields = {}
  const checked = []
  for (const [version, name] of versions) {
    const paths = git('ls-tree', '-r', '--name-only', name)
      .split('\n')
      .filter((path) => files.test(path))
    if (paths.length === 0) continue
    checked.push(version)
    const crds = paths.flatMap((path) => parseAllDocuments(git('show', `${name}:${path}`)).map((crd) => crd.toJS()))
    for (const resource of ours) {
      const crd = crds.find((crd) => crd?.spec.names.kind === resource.kind)
      for (const [path, words] of fieldsOf(resource)) {
        const schema = schemaAt(crd, resource.apiVersion.split('/')[1], path)
        if (!schema) delete fields[path]
        else fields[path] ??= version
        for (const word of schema?.enum ? words : []) {
          const field = `${path}=${word}`
          if (schema.enum.includes(word)) fields[field] ??= version
          else delete fields[field]
        }
      }
    }
  }
  return { checked: [checked[0], checked.at(-1)], fields: Object.fromEntries(Object.entries(fields).sort()) }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const repositories = process.argv.slice(2)
  const makers = Object.entries(MAKERS)
  if (repositories.length !== makers.length) throw new Error('give the two clones: envoyproxy/gateway and istio/api')
  const found = makers.map(([name, maker], index) => [name, fieldsWithVersions(maker, repositories[index])])
  writeFileSync(local('crd-fields.json'), `${JSON.stringify(Object.fromEntries(found), undefined, 2)}\n`)
}
