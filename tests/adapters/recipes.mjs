// The recipes of examples/sessions, beside the frameworks of this folder.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { at } from '../../scripts/common.mjs'

/**
 * A copy of the recipes that finds the frameworks of this folder. `instead` puts the text of a CommonJS module in the place of a package.
 * @param {string} name
 * @param {Record<string, string>} [instead]
 */
export function recipes(name, instead = {}) {
  const folder = at(`tests/adapters/.examples/sessions-${name}-${process.pid}`)
  rmSync(folder, { recursive: true, force: true })
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const part of ['adapters', 'sessions']) cpSync(at('examples', part), join(folder, part), { recursive: true })
  for (const [other, text] of Object.entries(instead)) {
    mkdirSync(join(folder, 'node_modules', other), { recursive: true })
    writeFileSync(join(folder, 'node_modules', other, 'index.js'), text)
    writeFileSync(join(folder, 'node_modules', other, 'package.json'), '{ "type": "commonjs" }')
  }
  return join(folder, 'sessions')
}
