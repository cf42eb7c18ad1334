// Runs the cases of cases.mjs on one adapter, and keeps the names of those that passed for the table in docs/adapters.md.
import { mkdirSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CASES } from './cases.mjs'
import { startService } from './service.mjs'

const ROWS = fileURLToPath(new URL('../../target/adapters/rows', import.meta.url))

/**
 * The cases as tests of one adapter.
 * @param {string} name  of the framework, with its version
 * @param {Omit<Parameters<typeof startService>[1], 'policy'>} options
 * @param {object} [more]
 * @param {Record<string, string>} [more.without]  cases that the framework cannot have, each with the reason that the table tells
 * @param {(service: any, state?: any) => any} [more.client]  a browser that knows the paths of the framework
 * @param {Record<string, import('./cases.mjs').Case['run']>} [more.own]  cases by their titles that the framework has in a form of its own
 */
export function conforms(name, options, { without = {}, client, own = {} } = {}) {
  const unknown = Object.keys(own).filter((title) => !CASES.some((each) => each.title === title) || title in without)
  if (unknown.length > 0) throw new Error(`no cases, or without: ${unknown.join(', ')}`)
  const passed = []
  for (const { title, threats = [], onEachNode, run: common } of CASES) {
    const run = own[title] ?? common
    if (title in without || (process.env.COUNTERSIGN_EXAMPLE_NODE !== undefined && !onEachNode)) continue
    const ids = threats.length > 0 ? `${threats.join(', ')}: ` : ''
    test(`${name}: ${ids}${title}`, { timeout: 120_000 }, async (t) => {
      const services = []
      const start = async (policy) => {
        const service = { ...(await startService(t, { ...options, policy })), client }
        services.push(service)
        return service
      }
      try {
        await run(start)
      } catch (error) {
        for (const { errors } of services) console.error(errors.slice(-20).join('\n'))
        throw error
      }
      passed.push(title)
    })
  }
  after(() => {
    mkdirSync(ROWS, { recursive: true })
    writeFileSync(
      `${ROWS}/${name.replace(/\W+/g, '-').toLowerCase()}.json`,
      `${JSON.stringify({ name, passed, without }, null, 2)}\n`,
    )
  })
}
