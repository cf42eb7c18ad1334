// Packages the filter as gateways pull it: its checksum, and an OCI image made without Docker.
//   node scripts/package-envoy.mjs
//   skopeo copy oci:target/envoy/image docker://registry.example/countersign-envoy:0.1.0
//
// Istio and Envoy Gateway take an image with one layer that holds one file, `plugin.wasm` (the
// "compat" variant of the WASM image specification), the layer being a tar.gz. The same filter
// gives the same bytes, and so the same digest, on every machine: no times, no names of users, and
// a gzip whose blocks are stored, because compressors differ between versions.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { at, has, main, Problem } from './common.mjs'

const FILTER = 'target/envoy/countersign-envoy.wasm'
const TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
}

/** Writes `<wasm>.sha256` and the folder `image` beside the filter; returns both checksums in hex. */
export function packageEnvoy(filter = at(FILTER), folder = join(filter, '../image')) {
  const wasm = readFileSync(filter)
  const sha256 = hex(wasm)
  // As `sha256sum --check` reads it.
  writeFileSync(`${filter}.sha256`, `${sha256}  ${filter.split('/').at(-1)}\n`)

  const { version, license, description } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true })
  const add = (mediaType, bytes) => {
    writeFileSync(join(folder, 'blobs/sha256', hex(bytes)), bytes)
    return { mediaType, digest: `sha256:${hex(bytes)}`, size: bytes.length }
  }
  const addJson = (mediaType, value) => add(mediaType, Buffer.from(JSON.stringify(value)))

  const tar = tarOf('plugin.wasm', wasm)
  const layer = add(TYPES.layer, gzipStored(tar))
  const config = addJson(TYPES.config, {
    architecture: 'wasm',
    os: 'wasip1',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${hex(tar)}`] },
  })
  const manifest = addJson(TYPES.manifest, {
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config,
    layers: [layer],
    annotations: {
      'org.opencontainers.image.title': 'countersign-envoy',
      'org.opencontainers.image.description': description,
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': license,
    },
  })
  writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }))
  return { wasm: sha256, image: manifest.digest.slice('sha256:'.length) }
}

const hex = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** A tar (POSIX ustar) of one file, owned by root, readable by everybody, dated 1970. */
function tarOf(name, bytes) {
  const header = Buffer.alloc(512)
  const octal = (number, length) => `${number.toString(8).padStart(length - 1, '0')}\0`
  header.write(name, 0)
  header.write(octal(0o644, 8), 100)
  header.write(octal(0, 8), 108) // user
  header.write(octal(0, 8), 116) // group
  header.write(octal(bytes.length, 12), 124)
  header.write(octal(0, 12), 136) // time
  header.write(' '.repeat(8), 148) // spaces in place of the checksum while it is computed
  header.write('0', 156) // a regular file
  header.write('ustar\x0000', 257)
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte),
      7,
    )} `,
    148,
  )
  return Buffer.concat([header, bytes, Buffer.alloc(-bytes.length & 511), Buffer.alloc(1024)])
}

/** A gzip (RFC 1952) of stored blocks (RFC 1951 §3.2.4). */
function gzipStored(bytes) {
  const parts = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])]
  for (let start = 0; start < bytes.length; start += 65535) {
    const block = bytes.subarray(start, start + 65535)
    const head = Buffer.alloc(5)
    head.writeUInt8(start + block.length === bytes.length ? 1 : 0)
    head.writeUInt16LE(block.length, 1)
    head.writeUInt16LE(block.length ^ 0xffff, 3)
    parts.push(head, block)
  }
  // Checksum and length are the last eight bytes of any gzip of the same content.
  return Buffer.concat([...parts, gzipSync(bytes, { level: 1 }).subarray(-8)])
}

await main(import.meta.url, () => {
  if (!has(FILTER)) throw new Problem(`${FILTER} is not there. Run: npm run build`)
  const { wasm, image } = packageEnvoy()
  console.log(`sha256 of the filter  ${wasm}\nsha256 of the image   ${image}  (target/envoy/image)`)
})
