// The worker of the example, behind what stands for Cloudflare: the client's address comes in a header that no client can set. Its clock
// moves on by the seconds in a file, as clock.mjs does elsewhere.
import { env } from 'cloudflare:workers'

const systemNow = Date.now
let offset = 0
Date.now = () => systemNow() + offset * 1_000

const { default: app } = await import('../../../examples/adapters/hono-worker.js')

export default {
  async fetch(request, ...more) {
    offset = Number(await (await env.CLOCK.fetch('http://clock/clock')).text())
    const headers = new Headers(request.headers)
    headers.set('cf-connecting-ip', request.cf.clientIp)
    return app.fetch(new Request(request, { headers }), ...more)
  },
}
