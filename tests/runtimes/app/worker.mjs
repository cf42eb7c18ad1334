// The suite in a worker, which may neither read files nor compile, and a login that many requests share.
import { conformance, service } from './suite.mjs'

let shared

const routes = {
  all: () => conformance('all'),
  short: () => conformance('short'),
  async start() {
    shared = await service()
    shared.typed = shared.code()
    return 'started'
  },
  code: () => shared.verify({ code: shared.typed }),
  backup: () => shared.verify({ method: 'backup_code', code: shared.codes[0] }),
}

export default {
  async fetch(request) {
    return Response.json(await routes[new URL(request.url).pathname.slice(1)]())
  },
}
