// The service whose event loop is measured: second factors over HTTP, in a process of its own. The first argument is
// the place of hashing. It measures from before the first hash to the last, so the start of the threads is in it.
// @ts-nocheck: `countersign` is installed here only by `npm run bench`
import { createServer } from 'node:http'
import { createHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { createSecondFactor, generateKeys, memoryStore, totp } from 'countersign'

/** Users with an app who begin a login while others hash. */
const OTHERS = 50

const options = {
  policy: { v: 1, name: 'Acme', origin: 'https://acme.example' },
  keys: generateKeys(),
  store: memoryStore(),
}

// Set up in this thread, so that the threads that are measured have not started yet.
const preparing = createSecondFactor({
  ...options,
  policy: { ...options.policy, methods: ['totp'] },
  hashing: 'inline',
})
for (let index = 0; index < OTHERS; index += 1) {
  const user = `other-${index}`
  const { setup, secret } = await preparing.enrollTotp({ user, session: 's', label: user })
  const code = totp.generate({ secret: secret.replaceAll(' ', ''), time: Math.floor(Date.now() / 1000) })
  await preparing.confirmTotp({ user, session: 's', setup, code })
}

const factor = createSecondFactor({ ...options, hashing: process.argv[2] })
const server = createServer((request, response) => {
  let text = ''
  request.on('data', (part) => (text += part))
  request.on('end', async () => {
    const { method, input } = JSON.parse(text)
    try {
      response.end(JSON.stringify(await factor[method](input)))
    } catch (error) {
      response.statusCode = 500
      response.end(JSON.stringify({ result: 'error', message: error.message }))
    }
  })
})

const sampled = monitorEventLoopDelay({ resolution: 1 })
const waited = createHistogram()
let last = 0
function tick() {
  const now = performance.now()
  // One sample stands for a stall of any length. Here a stall counts for each millisecond at which something could
  // have come meanwhile, with the wait that it would have had.
  for (let wait = now - last - 1; wait > 0; wait -= 1) waited.record(Math.max(1, Math.round(wait * 1e6)))
  last = now
}

process.on('message', (message) => {
  if (message === 'measure') {
    sampled.enable()
    last = performance.now()
    setInterval(tick, 1)
    process.send('measuring')
  } else if (message === 'stop') {
    const figures = (histogram) => ({
      p50: histogram.percentile(50) / 1e6,
      p99: histogram.percentile(99) / 1e6,
      max: histogram.max / 1e6,
      count: histogram.count,
    })
    process.send({ sampled: figures(sampled), waited: figures(waited) })
    process.disconnect()
    process.exit()
  }
})
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port, others: OTHERS }))
