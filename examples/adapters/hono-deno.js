// Hono on Deno.
import process from 'node:process'
import { getConnInfo } from 'hono/deno'
import { appOf } from './hono-app.js'
import * as host from './host.js'

const { fetch } = appOf({ ...host, ip: (c) => getConnInfo(c).remote.address })

const onListen = ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`)
Deno.serve({ port: Number(process.env.PORT ?? 3000), hostname: '127.0.0.1', onListen }, fetch)
