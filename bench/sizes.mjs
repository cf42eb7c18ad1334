// The sizes of the built package, in bytes, beside the goals.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { at } from '../scripts/common.mjs'

const KB = 1000
const kb = (bytes) => `${(bytes / KB).toFixed(1)} kB`

/** The size of the tarball that npm would publish. @returns {number} */
export function tarballBytes() {
  const command = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel', 'error']
  const [{ size }] = JSON.parse(execFileSync('npm', command, { cwd: at('.'), encoding: 'utf8' }))
  return size
}

/** @returns {{ title: string, head: string[], rows: string[][], notes: string[] }} */
export function sizes() {
  const size = tarballBytes()
  const files = {
    'the engine': 'pkg/engine.wasm',
    'the module for browsers': 'pkg/countersign.wasm',
    'the script for browsers': 'pkg/browser.mjs',
  }
  const measured = Object.entries(files).map(([name, file]) => {
    const bytes = readFileSync(at(file))
    return { name, raw: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length }
  })
  const { raw, gzipped } = measured[1]
  const goal = (what, is, most) =>
    `Goal for ${what}: at most ${most} kB. It has ${kb(is)}: ${is <= most * KB ? 'met' : 'missed; [DESIGN.md](../DESIGN.md) says why'}.`
  return {
    title: 'Sizes',
    head: ['', 'bytes', 'gzipped'],
    rows: [
      ...measured.map((each) => [each.name, kb(each.raw), kb(each.gzipped)]),
      ['the tarball, with the engine for edge workers', '', kb(size)],
    ],
    notes: [
      goal('the module for browsers', raw, 75),
      goal('the module for browsers, gzipped', gzipped, 30),
      goal('the tarball', size, 700),
    ],
  }
}
