// A way to a server that can cut connections at a write: in place of its answer, so that the server has it, or in its middle, so that
// the server gets a half.
import { once } from 'node:events'
import net from 'node:net'

/**
 * `isWrite` tells the writes at which connections may be cut, by the part that came last and by all that was sent on the connection
 * since `cutAnswers` or `cutRequests`.
 * @param {any} t
 * @param {{ host: string, port: number }} server
 * @param {(data: Buffer, sent: string) => boolean} isWrite
 */
export async function cuttingProxy(t, { host, port }, isWrite) {
  let left = 0
  let inRequest = false
  let cuts = 0
  let armed = 0 // how often `cutAnswers` or `cutRequests` was called
  const sockets = new Set()
  const proxy = net.createServer((client) => {
    const behind = net.connect(port, host)
    let sent = ''
    let since = 0
    let isCut = false
    client.on('data', (data) => {
      sent = (since === armed ? sent + data.toString('latin1') : data.toString('latin1')).slice(-100_000)
      since = armed
      if (left > 0 && isWrite(data, sent)) {
        left -= 1
        cuts += 1
        isCut = true
        if (inRequest) {
          behind.end(data.subarray(0, data.length / 2))
          client.destroy()
          return
        }
      }
      behind.write(data)
    })
    behind.on('data', (data) => (isCut ? client.destroy() : client.write(data)))
    for (const socket of [client, behind]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    client.on('close', () => behind.end())
    behind.on('close', () => client.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  const cut = (count, request) => {
    left = count
    inRequest = request
    armed += 1
  }
  const { port: own } = /** @type {net.AddressInfo} */ (proxy.address())
  return {
    port: own,
    cutAnswers: (count = 1) => cut(count, false),
    cutRequests: (count = 1) => cut(count, true),
    cuts: () => cuts,
  }
}
