// npm start: installs what is missing, builds, and runs the login example until it is stopped.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { build } from './build.mjs'
import { at, has, main, Problem } from './common.mjs'
import { setup } from './setup.mjs'

await main(import.meta.url, async () => {
  await setup()
  await build()
  if (!has('examples/login/server.js')) throw new Problem('examples/login/server.js is missing.')
  const server = spawn(process.execPath, [at('examples/login/server.js'), ...process.argv.slice(2)], { stdio: 'inherit', cwd: at('examples/login') })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // Ctrl-C in a terminal reaches the server without us; a second one might cut its clean-up short.
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : server.kill(signal)))
  }
  const [code, signal] = await new Promise((resolve, reject) => server.on('error', reject).on('close', (...ended) => resolve(ended)))
  process.exit(code ?? 128 + constants.signals[signal])
})
