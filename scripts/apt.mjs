// Installs Debian packages, on a machine with apt-get and root or sudo.
import { onPath, Problem, run } from './common.mjs'

/**
 * `problem(why)` makes the error for any other machine. `services` are the services of these packages. Debian starts a
 * service when it is installed, and when the machine starts; these are not started. `missing` names what is still missing
 * afterwards, such as a version that is new enough.
 * @param {string[]} names
 * @param {(why: string) => Error} problem
 * @param {{ services?: string[], missing?: () => string[] }} [options]
 */
export async function aptInstall(names, problem, { services = [], missing = () => [] } = {}) {
  if (!onPath('apt-get')) throw problem('this machine has no apt-get to install them')
  const sudo = process.getuid() === 0 ? [] : ['sudo']
  if (sudo.length && !onPath('sudo')) throw problem('installing them takes root, or sudo')
  const asRoot = (...args) => {
    const [command, ...rest] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', ...args]
    return run(command, rest, { hidden: true, name: 'apt-get' })
  }
  const apt = services.length > 0 ? ['sh', '-c', withoutStarting(services), 'apt-get'] : ['apt-get']
  const install = async () => {
    await asRoot(...apt, '-q', 'install', '-y', '--no-install-recommends', ...names)
    if (missing().length > 0) throw new Problem(`${missing().join(', ')} is still missing after the installation.`)
  }
  try {
    // `apt-get update` runs only after a failure, because only a new machine has old or empty package lists.
    await install().catch(() => asRoot('apt-get', '-q', 'update').then(install))
  } catch (error) {
    throw problem(`installing them did not work: ${error.message.replace(/\.$/, '')}`)
  }
}

/**
 * A shell script that runs apt-get with its arguments. Debian's scripts ask `policy-rc.d` before they start a service. A
 * machine that has one keeps it. The one that is written here says no to these services only, and only while this script
 * runs, even where its end does not remove the file.
 */
const withoutStarting = (services) => `
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  trap 'exit 1' HUP INT TERM
  cat > $policy <<END
#!/bin/sh
# Written by an installation of Countersign, which removes it.
kill -0 $$ 2>/dev/null || exit 0
case "\\$1" in ${services.map((name) => `${name}*`).join('|')}) exit 101 ;; esac
END
  chmod 755 $policy
fi
apt-get "$@" || exit
if [ -d /run/systemd/system ]; then systemctl disable ${services.join(' ')} || true; fi
`
