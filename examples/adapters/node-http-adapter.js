// A whole adapter, for plain node:http.
import { createAdapter, readBody } from 'countersign/adapter'

export function nodeSecondFactor(options) {
  const adapter = createAdapter(options)
  return {
    /** Takes a login whose first factor passed, and answers it. */
    login: async (req, res, input) => send(res, await adapter.login(requestOf(req, res), input)),
    /** A handler that runs for people who are in, and whose second factor the rules take. */
    guard: (rules, handler) => async (req, res) => {
      const { person, answer } = await adapter.admit(requestOf(req, res), rules)
      if (answer) send(res, answer)
      else await handler(req, res, person)
    },
    /** Carries out an action of the second factor, such as `verify`. */
    act: async (req, res, name) => send(res, await adapter.act(requestOf(req, res), name)),
  }
}

const requestOf = (req, res) => ({
  method: req.method ?? '',
  url: req.url ?? '',
  header: (name) => req.headers[name]?.toString(),
  body: () => readBody(req, req.headers['content-type']),
  ip: req.socket.remoteAddress,
  setCookie: (cookie) => void res.appendHeader('set-cookie', cookie),
})

export function send(res, { status, headers, body }) {
  res.writeHead(status, { 'content-type': 'application/json', ...headers })
  res.end(body && JSON.stringify(body))
}
