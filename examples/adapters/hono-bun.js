// Hono on Bun.
import { getConnInfo } from 'hono/bun'
import { appOf } from './hono-app.js'
import * as host from './host.js'

const { fetch } = appOf({ ...host, ip: (c) => getConnInfo(c).remote.address })

const { url } = Bun.serve({ fetch, port: process.env.PORT ?? 3000, hostname: '127.0.0.1' })
console.log(`Listening on ${url}`)
