// Builds an app of Next in a copy, as somebody who installed the package would, and without keys: those are there at the start alone.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { at, run } from '../../scripts/common.mjs'

export const NEXT = fileURLToPath(new URL('node_modules/next/dist/bin/next', import.meta.url))

/**
 * The folder of a built app.
 * @param {string} name
 * @param {string[]} sources  folders of the repository, whose contents come together
 * @param {{ app: string, bundler: 'turbopack' | 'webpack' }} options  the folder of the app in the copy
 */
export async function builtApp(name, sources, { app, bundler }) {
  const folder = fileURLToPath(new URL(`.examples/${name}`, import.meta.url))
  rmSync(folder, { recursive: true, force: true })
  const installed = join(folder, 'node_modules/countersign')
  mkdirSync(installed, { recursive: true })
  for (const source of sources) cpSync(at(source), folder, { recursive: true })
  for (const part of ['package.json', 'pkg']) cpSync(at(part), join(installed, part), { recursive: true })
  // The frameworks and the driver of the database are installed in folders above the copy.
  const config = { turbopack: { root: at('.') }, outputFileTracingRoot: at('.') }
  writeFileSync(join(folder, app, 'next.config.mjs'), `export default ${JSON.stringify(config)}\n`)
  const env = { NEXT_TELEMETRY_DISABLED: '1', COUNTERSIGN_KEYS: '' }
  await run(process.execPath, [NEXT, 'build', `--${bundler}`], { cwd: join(folder, app), env, silent: true })
  return join(folder, app)
}

/** The options that start it. */
export const startOf = (folder) => ({
  folder,
  args: () => [NEXT, 'start', '--port', '0', '--hostname', '127.0.0.1'],
})
