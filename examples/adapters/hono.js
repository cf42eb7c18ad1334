// Hono on Node.js.
import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { appOf } from './hono-app.js'
import * as host from './host.js'

const { fetch } = appOf({ ...host, ip: (c) => getConnInfo(c).remote.address })

serve({ fetch, port: Number(process.env.PORT ?? 3000), hostname: '127.0.0.1' }, ({ port }) =>
  console.log(`Listening on http://127.0.0.1:${port}`),
)
