// The package beside its peers on Node. Each job runs in a fresh process, `rounds` times, and the jobs take turns; medians and spread
// are over the processes. Compare the ratios, not the microseconds.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { median } from './compare.mjs'
import { goals } from './goals.mjs'

/**
 * A figure: the middle, the lowest and the highest of all processes.
 * @typedef {{ middle: number, low: number, high: number }} Figure
 */

/** @returns {Promise<Record<string, { micros: Record<string, any>, notes?: string[] }>>} */
export async function benchNode({ rounds, names = Object.keys(goals) }) {
  const runs = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 1; round <= rounds; round += 1)
    for (const name of names) {
      console.log(`round ${round} of ${rounds}: ${goals[name].title}`)
      runs[name].push(await inProcess(name))
    }
  return Object.fromEntries(names.map((name) => [name, summary(runs[name])]))
}

async function inProcess(name) {
  const child = fork(fileURLToPath(new URL('jobs.mjs', import.meta.url)), [name])
  const ended = once(child, 'exit')
  const [result] = await Promise.race([once(child, 'message'), ended.then(() => [undefined])])
  if (typeof result !== 'object') throw new Error(`the job ${name} ended without a result; its error is above`)
  await ended
  return result
}

function summary(runs) {
  const [{ micros, notes }] = runs
  const each = (path) => runs.map((run) => path.reduce((value, key) => value[key], run.micros))
  const figures = (value, path) =>
    typeof value === 'number'
      ? figureOf(each(path))
      : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, figures(inner, [...path, key])]))
  return { micros: figures(micros, []), ...(notes && { notes }) }
}

/** @returns {Figure} */
function figureOf(values) {
  const short = (value) => Number(value.toPrecision(4))
  return { middle: short(median(values)), low: short(Math.min(...values)), high: short(Math.max(...values)) }
}
