// An HTTP/1.1 client that sends the given bytes: it checks, joins and cleans no header. Text stands for bytes
// (latin1). And one for HTTP/2, by Node.
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'

/** One connection. Requests may be sent before the answers to earlier ones; answers come in order. */
export class Connection {
  #socket
  #buffer = Buffer.alloc(0)
  #waiting = []
  #end

  constructor(port, host = '127.0.0.1') {
    this.#socket = connect({ port, host, noDelay: true })
    this.#socket.on('data', (bytes) => this.#take(bytes))
    this.#socket.on('error', () => undefined)
    this.closed = new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
      this.#socket.on('close', () => {
        this.#end = new Error('the connection was closed without an answer')
        // A body without a length ends with the connection.
        const [first] = this.#waiting
        const last = first && parse(this.#buffer, first.method, true)
        if (last) this.#waiting.shift().resolve(last.answer)
        for (const { reject } of this.#waiting.splice(0)) reject(this.#end)
        resolve()
      })
    })
  }

  /** Sends the bytes of one request and gives its answer. */
  send(bytes, method = 'GET') {
    if (this.#end) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ method, resolve, reject })
      this.#socket.write(bytes, 'latin1')
    })
  }

  /** Sends bytes that get no answer of their own, like the rest of a body. */
  write(bytes) {
    this.#socket.write(bytes, 'latin1')
  }

  close() {
    this.#socket.destroy()
    return this.closed
  }

  #take(bytes) {
    this.#buffer = this.#buffer.length ? Buffer.concat([this.#buffer, bytes]) : bytes
    while (this.#waiting.length > 0) {
      const found = parse(this.#buffer, this.#waiting[0].method, false)
      if (!found) return
      this.#buffer = this.#buffer.subarray(found.length)
      if (found.answer.status >= 200) this.#waiting.shift().resolve(found.answer)
    }
  }
}

class Answer {
  constructor(status, headers, body) {
    this.status = status
    this.headers = headers
    this.text = body.toString()
  }
  all(name) {
    return this.headers.filter(([other]) => other === name).map(([, value]) => value)
  }
  get(name) {
    const values = this.all(name)
    if (values.length > 1) throw new Error(`two headers ${name}`)
    return values[0]
  }
  get json() {
    return JSON.parse(this.text)
  }
}

function parse(buffer, method, ended) {
  const top = buffer.indexOf('\r\n\r\n')
  if (top < 0) return undefined
  const [line, ...rest] = buffer.toString('latin1', 0, top).split('\r\n')
  const status = Number(line.split(' ')[1])
  const headers = rest.map((text) => {
    const colon = text.indexOf(':')
    return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()]
  })
  const one = (name) => headers.find(([other]) => other === name)?.[1]
  const start = top + 4
  const done = (body, length) => ({ answer: new Answer(status, headers, body), length })
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return done(Buffer.alloc(0), start)
  if (one('transfer-encoding') === 'chunked') {
    const chunks = []
    for (let at = start; ; ) {
      const eol = buffer.indexOf('\r\n', at)
      if (eol < 0) return undefined
      const size = parseInt(buffer.toString('latin1', at, eol), 16)
      if (buffer.length < eol + 2 + size + 2) return undefined
      if (size === 0) return done(Buffer.concat(chunks), eol + 4)
      chunks.push(buffer.subarray(eol + 2, eol + 2 + size))
      at = eol + 2 + size + 2
    }
  }
  const length = one('content-length')
  if (length === undefined) return ended ? done(buffer.subarray(start), buffer.length) : undefined
  return buffer.length < start + Number(length)
    ? undefined
    : done(buffer.subarray(start, start + Number(length)), start + Number(length))
}

/** The bytes of a request. `headers`: pairs, in this order and spelling. */
export function bytesOf(
  /** @type {any} */ { method = 'GET', path = '/', host = 'app.acme.example', headers = [], body } = {},
) {
  const length = body === undefined ? [] : [['content-length', Buffer.byteLength(body, 'latin1')]]
  const lines = [['host', host], ...headers, ...length].map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
}

/** One request on a connection of its own. */
export async function request(port, options) {
  const connection = new Connection(port, options?.address)
  try {
    return await connection.send(bytesOf(options), options?.method)
  } finally {
    connection.close()
  }
}

/** One HTTP/2 connection without TLS. `cookie` may be several headers, as browsers send it; `trailers` follow the body. */
export function http2(t, port) {
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  t.after(() => session.destroy())
  session.on('error', () => undefined)
  return (headers, body, trailers) =>
    new Promise((resolve, reject) => {
      const stream = session.request(
        { ':authority': 'app.acme.example', ':path': '/', ...headers },
        { endStream: body === undefined, waitForTrailers: trailers !== undefined },
      )
      stream.on('wantTrailers', () => stream.sendTrailers(trailers))
      const chunks = []
      let answer
      stream.on('response', (received) => (answer = received))
      stream.on('data', (chunk) => chunks.push(chunk))
      stream.on('error', reject)
      stream.on('end', () =>
        resolve({ status: answer?.[':status'], headers: answer, text: Buffer.concat(chunks).toString() }),
      )
      if (body !== undefined) stream.end(body)
    })
}
