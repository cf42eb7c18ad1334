// A project of a host's that has the package, for the compiler.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')))

const strict = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false,
  target: 'es2022',
  module: 'nodenext',
  types: [],
}

/**
 * The complaints of the compiler, in a strict project; an empty text where there are none.
 * @param {Record<string, string>} files  name → text
 * @param {object} options  compiler options beside those of a strict project
 */
export function complaintsAbout(files, options) {
  const folder = mkdtempSync(join(tmpdir(), 'consumer-'))
  try {
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(root, join(folder, 'node_modules', 'countersign'), 'dir')
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const config = { compilerOptions: { ...strict, ...options }, files: Object.keys(files) }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8', stdio: 'pipe' })
    return ''
  } catch (error) {
    return error.stdout + error.stderr
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
