// The licences of the crates linked into the WebAssembly, and of the packages in the commands. They must be distributed with them.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ask, at, Problem } from './common.mjs'

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
  const texts = new Map() // licence text → the crates that carry it
  for (const { name, version, license, authors, manifest_path } of [...inside].map((id) => info.get(id)))
    addLicences(
      texts,
      dirname(manifest_path),
      `${name} ${version}`,
      `${license}; the crate carries no text. Authors: ${authors.join(', ') || 'not named'}`,
    )
  return `The WebAssembly beside this file contains these Rust crates.\n\n${listOf(texts)}`
}

/** The same of the npm packages that esbuild has put into a bundle. */
export function packageNotices({ inputs }) {
  const folders = Object.keys(inputs).map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1])
  const texts = new Map()
  for (const folder of [...new Set(folders)].sort()) {
    if (folder === undefined) continue
    const { name, version, license, author } = JSON.parse(readFileSync(at(folder, 'package.json'), 'utf8'))
    addLicences(
      texts,
      at(folder),
      `${name} ${version}`,
      `${license}; the package carries no text. Author: ${author?.name ?? author ?? 'not named'}`,
    )
  }
  return `The files in cli/ contain these npm packages.\n\n${listOf(texts)}`
}

/** Adds the licences in a folder. Of several to choose from, MIT is taken where it is offered. */
function addLicences(texts, folder, user, otherwise) {
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((file) => file.isFile() && /^(licen[cs]e|copying|unlicense)/i.test(file.name))
    .map((file) => file.name)
  const mit = files.filter((file) => /mit/i.test(file))
  const found = (mit.length ? mit : files).map((file) => readFileSync(join(folder, file), 'utf8').trim())
  for (const text of found.length === 0 ? [`(${otherwise})`] : found)
    texts.set(text, [...(texts.get(text) ?? []), user])
}

function listOf(texts) {
  const rule = '-'.repeat(72)
  return [...texts].map(([text, users]) => `${rule}\n${users.sort().join(', ')}\n\n${text}\n`).join('\n')
}
