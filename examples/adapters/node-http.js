// A login with a second factor on plain node:http, by the adapter in node-http-adapter.js.
import { createServer } from 'node:http'
import { BadRequest, readBody } from 'countersign/adapter'
import { checkPassword, facts, mayRescue, secondFactor } from './host.js'
import { nodeSecondFactor, send } from './node-http-adapter.js'

const auth = nodeSecondFactor({ secondFactor, facts, mayRescue })
const answer = (status, body) => ({ status, headers: {}, body })

const handlers = {
  // Every way in ends here: `login` says whether the user is in, and asks for the second factor where the rules want one.
  'POST /login': async (req, res) => {
    const body = (await readBody(req, req.headers['content-type'])) ?? {}
    const user = checkPassword(body)
    if (user === undefined) return send(res, answer(401, { result: 'wrong_password' }))
    return auth.login(req, res, { user, carry: body.carry === 'value' ? 'value' : 'cookie' })
  },
  'GET /': auth.guard({}, (_req, res, person) => send(res, answer(200, { user: person.user }))),
  // Ask again before this action: a second factor older than five minutes does not count.
  'POST /transfer': auth.guard({ maxAge: 300 }, (_req, res) => send(res, answer(200, { result: 'sent' }))),
}

async function handle(req, res) {
  const [, action] = /^\/second-factor\/([^?]*)/.exec(req.url) ?? []
  if (action !== undefined) return auth.act(req, res, action)
  const name = `${req.method} ${req.url.split('?', 1)[0]}`
  return Object.hasOwn(handlers, name) ? handlers[name](req, res) : send(res, answer(404, { result: 'not_found' }))
}

const server = createServer((req, res) => {
  handle(req, res).catch((error) => {
    if (error instanceof BadRequest) return send(res, error.answer)
    console.error(error)
    send(res, answer(500, { result: 'failed' }))
  })
})
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
  console.log(`Listening on http://127.0.0.1:${server.address().port}`),
)
