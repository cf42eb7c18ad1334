// The licences of the crates linked into the WebAssembly. They must be distributed with it.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ask, Problem } from './common.mjs'

export function notices(feature, target) {
  const metadata = ask('cargo', [
    'metadata',
    '--format-version',
    '1',
    '--offline',
    '--features',
    feature,
    '--filter-platform',
    target,
  ])
  if (metadata === undefined) throw new Problem('cargo metadata failed.')
  const { packages, resolve } = JSON.parse(metadata)
  const [nodes, info] = [resolve.nodes, packages].map((list) => new Map(list.map((entry) => [entry.id, entry])))
  // The linked crates: no test or build dependencies, no macros.
  const inside = new Set()
  const visit = (id) => {
    if (inside.has(id) || info.get(id).targets.some(({ kind }) => kind.includes('proc-macro'))) return
    inside.add(id)
    for (const { pkg, dep_kinds } of nodes.get(id).deps) if (dep_kinds.some(({ kind }) => kind === null)) visit(pkg)
  }
  visit(resolve.root)
  inside.delete(resolve.root)
  const users = new Map() // licence text → the crates that carry it
  for (const { name, version, license, authors, manifest_path } of [...inside].map((id) => info.get(id))) {
    const folder = dirname(manifest_path)
    const files = readdirSync(folder, { withFileTypes: true })
      .filter((file) => file.isFile() && /^(licen[cs]e|copying|unlicense)/i.test(file.name))
      .map((file) => file.name)
    // Of several licences to choose from, MIT is taken where it is offered.
    const mit = files.filter((file) => /mit/i.test(file))
    const texts = (mit.length ? mit : files).map((file) => readFileSync(join(folder, file), 'utf8').trim())
    if (texts.length === 0)
      texts.push(`(${license}; the crate carries no text. Authors: ${authors.join(', ') || 'not named'})`)
    for (const text of texts) users.set(text, [...(users.get(text) ?? []), `${name} ${version}`])
  }
  const rule = '-'.repeat(72)
  return `The WebAssembly beside this file contains these Rust crates.\n\n${[...users].map(([text, crates]) => `${rule}\n${crates.sort().join(', ')}\n\n${text}\n`).join('\n')}`
}
