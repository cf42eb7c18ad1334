// The usual setup without a filter: Envoy asks a service before each request (ext_authz). This service makes the
// same check by the npm package. Under /nothing it answers 200 at once, which measures the call alone.
import { createServer } from 'node:http'
import { createSecondFactor, memoryStore } from 'countersign'

const { POLICY, KEYS, USER } = process.env
const factor = await createSecondFactor({ policy: POLICY, keys: KEYS, store: memoryStore() })

const server = createServer(async (request, response) => {
  if (request.url.startsWith('/nothing')) return response.writeHead(200).end()
  const cookies = Object.fromEntries((request.headers.cookie ?? '').split('; ').map((pair) => pair.split('=', 2)))
  const { session, 'second-factor': pass } = cookies
  // A real service would look up the user of the session first.
  const check = session && pass ? await factor.checkPass({ user: USER, session, pass }) : undefined
  response.writeHead(check?.result === 'valid' ? 200 : 401).end()
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.on('SIGTERM', () => process.exit())
