// npm test: runs the steps of the table, but for the long ones, and installs and builds their needs first. Every step runs,
// even after a failure; the end lists the failures. Long steps by themselves run two at a time.
//   npm test -- --only rust,node    some groups; a wrong name prints the list
// A database server that cannot be installed is a failure in CI only. Elsewhere its tests are left out, and the end says so.
//   COUNTERSIGN_WITHOUT=mariadb,redis npm test    leaves these out, and does not install them
import { inCi, main, Problem, seconds } from './common.mjs'
import { listFailures, runStep } from './run-steps.mjs'
import { install, PARTS, SERVERS } from './setup.mjs'
import { sideBySide } from './side-by-side.mjs'
import { BUILDS, GROUPS, LONG_GROUPS, STEPS } from './steps.mjs'

const built = new Set()
const titleOf = (name) => (PARTS[name] ?? BUILDS[name]).title

/** The parts that failed for this reason. Debian packages are installed together, so they fail together. */
const namesWith = (why, unavailable) => Object.keys(unavailable).filter((name) => unavailable[name] === why)

await main(import.meta.url, async () => {
  const wanted = wantedGroups()
  const steps = STEPS.filter(({ group }) => wanted.includes(group))
  const needs = new Set(steps.flatMap((step) => step.needs))
  const builds = Object.keys(BUILDS).filter((name) => needs.has(name))
  for (const name of builds) for (const part of BUILDS[name].needs) needs.add(part)

  /** The servers whose tests are left out, each with the reason. @type {Record<string, string>} */
  const without = Object.fromEntries(unwantedServers().map((name) => [name, 'COUNTERSIGN_WITHOUT names it']))
  // name of a part or a product → the reason why it is missing
  const { failures: unavailable, numbered } = await install(
    Object.keys(PARTS).filter((name) => needs.has(name) && !(name in without)),
    builds.map((name) => BUILDS[name]),
  )
  for (const name of inCi ? [] : SERVERS.filter((name) => name in unavailable)) {
    without[name] = unavailable[name]
    delete unavailable[name]
  }
  /** @type {{ group: string, title: string, failed: string, names?: string[] }[]} */
  const failures = [...new Set(Object.values(unavailable))].map((why) => ({
    group: 'set-up',
    title: namesWith(why, unavailable).map(titleOf).join(', '),
    failed: why.split('\n', 1)[0],
  }))

  const total = { passed: 0, failed: failures.length, skipped: 0 }
  const env = {
    ...(process.stdout.isTTY ? { CARGO_TERM_COLOR: 'always', FORCE_COLOR: '1' } : {}),
    COUNTERSIGN_WITHOUT: Object.keys(without).join(','),
  }
  const start = performance.now()
  // Most long steps use one core. What a step prints is then shown at its end.
  const abreast = steps.length > 1 && steps.every(({ long }) => long) ? 2 : 1
  if (abreast > 1) for (const name of builds) await buildOnce(name, unavailable, numbered)
  await sideBySide(steps, abreast, async (step) => {
    for (const name of builds.filter((name) => step.needs.includes(name))) await buildOnce(name, unavailable, numbered)
    const { group, title } = step
    const heading = `\n=== ${steps.indexOf(step) + 1}/${steps.length} ${title}`
    const fail = (failed, names = []) => {
      failures.push({ group, title, failed, names })
      console.error(`=== ${title}: ${failed}`)
    }
    console.log(abreast > 1 ? `${heading} …` : heading)
    const lacking = step.needs.filter((name) => name in unavailable)
    if (lacking.length > 0) {
      fail(`not run, because it needs ${lacking.map(titleOf).join(', ')}`)
      total.failed += 1
      return
    }
    const start = performance.now()
    const { failed, names, counts, output } = await runStep(step, { silent: abreast > 1, env })
    if (abreast > 1) console.log(`${heading}\n${output.trimEnd()}`)
    for (const key in total) total[key] += counts[key]
    // A failed step without a failed test, such as a lint, counts as one failure.
    if (failed && counts.failed === 0) total.failed += 1
    if (failed) fail(failed, names)
    else console.log(`=== ${title}: passed (${seconds(start)})`)
  })

  listFailures(failures)
  for (const name of SERVERS.filter((name) => needs.has(name) && name in without))
    console.error(`\nLEFT OUT: the tests on ${titleOf(name)}, which CI runs: ${without[name].split('\n', 1)[0]}`)
  const { passed, failed, skipped } = total
  if (failures.length > 0) process.exitCode = 1
  if (passed + failed > 0) console.log(`\n${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
  else console.log(`\n${steps.length} steps passed (${seconds(start)})`)
})

async function buildOnce(name, unavailable, numbered) {
  if (built.has(name)) return
  built.add(name)
  const { title, needs, work } = BUILDS[name]
  const lacking = needs.filter((part) => part in unavailable)
  console.log(`\n=== ${title}`)
  try {
    if (lacking.length > 0) throw new Problem(`It needs ${lacking.map(titleOf).join(', ')}.`)
    await work(numbered)
  } catch (error) {
    if (!(error instanceof Problem)) console.error(error)
    unavailable[name] = error.message
    console.error(`=== ${title}: failed: ${error.message}`)
  }
}

/** The database servers without which the tests are to run. In CI each is wanted. */
function unwantedServers() {
  const names = (process.env.COUNTERSIGN_WITHOUT ?? '').split(',').filter(Boolean)
  if (names.some((name) => !SERVERS.includes(name)))
    throw new Problem(`COUNTERSIGN_WITHOUT can name ${SERVERS.join(', ')}, with commas between them.`)
  if (inCi && names.length > 0) throw new Problem('In CI every test must run: unset COUNTERSIGN_WITHOUT.')
  return names
}

function wantedGroups() {
  const [option, value, ...rest] = process.argv.slice(2)
  if (option === undefined) return GROUPS.filter((group) => !LONG_GROUPS.includes(group))
  const wanted = value?.split(',') ?? []
  if (option !== '--only' || rest.length || wanted.length === 0 || wanted.some((group) => !GROUPS.includes(group))) {
    throw new Problem(`Usage: npm test [-- --only ${GROUPS.join(',')}]`)
  }
  return wanted
}
