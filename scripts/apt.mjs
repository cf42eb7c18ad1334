// Installs Debian packages, on a machine with apt-get and root or sudo.
import { onPath, run } from './common.mjs'

/** `problem(why)` makes the error for any other machine. */
export async function aptInstall(names, problem) {
  if (!onPath('apt-get')) throw problem('this machine has no apt-get to install them')
  const sudo = process.getuid() === 0 ? [] : ['sudo']
  if (sudo.length && !onPath('sudo')) throw problem('installing them takes root, or sudo')
  const apt = (...args) => {
    const [command, ...rest] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args]
    return run(command, rest)
  }
  const install = () => apt('install', '-y', '--no-install-recommends', ...names)
  try {
    // `apt-get update` runs only after a failure, because only a new machine has old or empty package lists.
    await install().catch(() => apt('update').then(install))
  } catch (error) {
    throw problem(`installing them did not work: ${error.message}`)
  }
}
