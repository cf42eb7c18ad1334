// How long the event loop is held up while four users confirm an app, renew and use backup codes, with and without
// worker threads, and while nobody does. The load comes from this process; the service is another one, new in each round.
// @ts-nocheck: `countersign` is installed here only by `npm run bench`
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { availableParallelism, loadavg } from 'node:os'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { totp } from 'countersign'
import { median } from './compare.mjs'

/** Users who confirm, renew and use codes, one call after the other. */
const HASHING_USERS = 4
/** Logins that others begin in a second, at fixed times, whether or not the ones before have been answered. */
const BEGINS = 100
/** The goal, in milliseconds. */
const GOAL = 5

const VARIANTS = {
  'with workers': { hashing: 'workers', users: HASHING_USERS },
  'without workers': { hashing: 'inline', users: HASHING_USERS },
  'nobody hashes': { hashing: 'workers', users: 0 },
}

export async function benchEventLoop({ rounds, seconds }) {
  const [load] = loadavg() // Before the first round: other programs take processor time from all variants.
  const all = Object.fromEntries(Object.keys(VARIANTS).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1)
    for (const [name, variant] of Object.entries(VARIANTS)) all[name].push(await measure(variant, seconds))

  const figures = [
    ['delay of the event loop (monitorEventLoopDelay, 1 ms)', 'sampled'],
    ['wait of something that comes at any time', 'waited'],
    ['answer to `begin`, from the time at which it was due', 'begin'],
  ]
  const names = Object.keys(VARIANTS)
  const rows = figures.flatMap(([title, key]) =>
    ['p50', 'p99', 'max'].map((figure) => {
      const value = (name) => {
        const values = all[name].map((round) => round[key][figure])
        return figure === 'max' ? Math.max(...values) : median(values)
      }
      const ratio = value('without workers') / value('with workers')
      return [`${title}, ${figure}`, ...names.map((name) => `${value(name).toFixed(2)} ms`), `${ratio.toFixed(1)} ×`]
    }),
  )
  const done = (name) => String(all[name].reduce((sum, { hashed }) => sum + hashed, 0))
  rows.push(['hashes in all rounds', ...names.map(done), ''])
  const p99 = median(all['with workers'].map(({ sampled }) => sampled.p99))
  const goal = `Goal: a p99 of the delay of at most ${GOAL} ms with workers. It is ${p99.toFixed(2)} ms: ${p99 <= GOAL ? 'met' : 'missed'}.`
  return {
    title: `Event loop while ${HASHING_USERS} users confirm, renew and use backup codes and others begin ${BEGINS} logins a second`,
    head: ['', ...names, 'without / with'],
    rows,
    notes: [
      goal,
      `${availableParallelism()} processors, load ${load.toFixed(1)} before the start; ${rounds} rounds of ${seconds} s each; medians, and the longest of all rounds.`,
    ],
  }
}

async function measure({ hashing, users }, seconds) {
  const service = fork(fileURLToPath(new URL('event-loop-service.mjs', import.meta.url)), [hashing], { execArgv: [] })
  const [{ port, others }] = await once(service, 'message')
  const ask = client(port)
  service.send('measure')
  await once(service, 'message')
  const end = performance.now() + seconds * 1000
  const [begin, ...hashed] = await Promise.all([
    beginLogins(ask, others, end),
    ...Array.from({ length: users }, (_, index) => hashUntil(ask, `user-${index}`, end)),
  ])
  service.send('stop')
  const [measured] = await once(service, 'message')
  await once(service, 'exit')
  ask.close()
  return { ...measured, begin, hashed: hashed.reduce((sum, count) => sum + count, 0) }
}

/** Begins logins at fixed times, and gives the quantiles of the times to their answers. */
async function beginLogins(ask, others, end) {
  const times = []
  const calls = []
  const start = performance.now()
  for (let index = 0; ; index += 1) {
    const due = start + (index * 1000) / BEGINS
    if (due > end) break
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
    const call = ask('begin', { user: `other-${index % others}`, session: 's' }, 'challenge')
    calls.push(call.then(() => times.push(performance.now() - due)))
  }
  await Promise.all(calls)
  times.sort((a, b) => a - b)
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))]
  return { p50: at(0.5), p99: at(0.99), max: times.at(-1), count: times.length }
}

/** One user after another sets up an app, logs in by a backup code, and renews the codes. Gives the number of hashes. */
async function hashUntil(ask, name, end) {
  let hashed = 0
  for (let round = 0; performance.now() < end; round += 1) {
    const user = `${name}-${round}`
    const { setup, secret } = await ask('enrollTotp', { user, session: 's', label: user }, 'totp_started')
    const code = totp.generate({ secret: secret.replaceAll(' ', ''), time: Math.floor(Date.now() / 1000) })
    const { backupCodes } = await ask('confirmTotp', { user, session: 's', setup, code }, 'enrolled')
    hashed += backupCodes.length
    for (const code of backupCodes.slice(0, 3)) {
      if (performance.now() > end) break
      const { ticket } = await ask('begin', { user, session: 's' }, 'challenge')
      const second = { ticket, session: 's', newSession: `in-${round}`, method: 'backup_code', code }
      const { pass } = await ask('verify', second, 'verified')
      hashed += 1
      if (code !== backupCodes[2]) continue
      const renewed = await ask('renewBackupCodes', { user, session: `in-${round}`, pass }, 'backup_codes')
      hashed += renewed.codes.length
    }
  }
  return hashed
}

/** Calls a method of the service, and fails on any other result: a refused call would be no load. */
function client(port) {
  const agent = new Agent({ keepAlive: true })
  const ask = (method, input, expected) =>
    new Promise((resolve, reject) => {
      const sent = request({ port, host: '127.0.0.1', method: 'POST', agent }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part) => (text += part))
        response.on('end', () => {
          const reply = JSON.parse(text)
          if (reply.result === expected) resolve(reply)
          else reject(new Error(`${method}: ${text}`))
        })
      })
      sent.on('error', reject)
      sent.end(JSON.stringify({ method, input }))
    })
  ask.close = () => agent.destroy()
  return ask
}
