// The suite in a worker, which may neither read files nor compile, and a login that many requests share.
import { totp } from 'countersign'
import { conformance, service } from './suite.mjs'

let shared
let users = 0

/** Sets up the first app of a user: ten hashes. */
async function setUp(user) {
  const { factor, clock } = shared
  const { secret, setup } = await factor.enrollTotp({ user, session: 's', label: user })
  const code = totp.generate({ secret, time: clock() })
  const { result } = await factor.confirmTotp({ user, session: 's', setup, code })
  return { result }
}

/** Answers in the midst of a call: with the request its timers end, as where a client leaves. */
const left = (call) => Promise.race([call, new Promise((resolve) => setTimeout(resolve, 20, { result: 'left' }))])

const routes = {
  all: () => conformance('all'),
  short: () => conformance('short'),
  async start() {
    shared = await service()
    shared.typed = shared.code()
    return 'started'
  },
  code: () => shared.verify({ code: shared.typed }),
  other: () => setUp(`user ${++users}`),
  same: () => setUp('same user'),
  leaveOther: () => left(setUp(`user ${++users}`)),
  leaveSame: () => left(setUp('same user')),
  backup: () => shared.verify({ method: 'backup_code', code: shared.codes[0] }),
}

export default {
  async fetch(request) {
    return Response.json(await routes[new URL(request.url).pathname.slice(1)]())
  },
}
