// Checks the tarball that npm would publish by publint and Are The Types Wrong: it holds every export and its types, in
// the module format that their names promise, under Node's resolution and that of bundlers.
//   node scripts/lint-package.mjs    after a build
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { at, main, npm, Problem } from './common.mjs'

const FOLDER = 'target/tarball'

/**
 * The problems that are intended.
 * @type {((problem: any) => boolean)[]}
 */
const INTENDED = [
  // This file is copied or fetched, not imported.
  ({ kind, entrypoint }) => kind === 'NoResolution' && entrypoint === './countersign.wasm',
]

await main(import.meta.url, async () => {
  const tarball = await pack()
  const manifest = JSON.parse(readFileSync(at('package.json'), 'utf8'))
  const complaints = [...(await byPublint(tarball, manifest)), ...(await byAttw(tarball))]
  if (complaints.length > 0) throw new Problem(complaints.map((each) => `package.json: ${each}`).join('\n'))
  console.log(`publint and attw find nothing wrong with ${manifest.name} ${manifest.version}.`)
})

async function pack() {
  rmSync(at(FOLDER), { recursive: true, force: true })
  mkdirSync(at(FOLDER), { recursive: true })
  const options = ['--json', '--loglevel', 'error', '--ignore-scripts', '--pack-destination', at(FOLDER)]
  const [{ filename }] = JSON.parse(await npm(['pack', ...options], { silent: true }))
  return readFileSync(at(FOLDER, filename))
}

async function byPublint(tarball, manifest) {
  const bytes = new Uint8Array(tarball).buffer
  const { messages } = await publint({ pack: { tarball: bytes }, strict: true, level: 'suggestion' })
  return messages.map((message) => `publint: ${formatMessage(message, manifest, { color: false })}`)
}

async function byAttw(tarball) {
  const analysis = await checkPackage(createPackageFromTarballData(tarball))
  if (!analysis.types) return ['attw: the tarball holds no types']
  return analysis.problems
    .filter((problem) => !INTENDED.some((intended) => intended(problem)))
    .map((problem) => `attw: ${JSON.stringify(problem)}`)
}
