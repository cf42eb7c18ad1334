// A way to a server that can lose answers to a write: the server has it, and in place of its answer the connection ends.
import { once } from 'node:events'
import net from 'node:net'

/**
 * `isWrite` tells the writes whose answers may be lost, by the part that came last and by all that was sent on the connection since
 * `cutAnswers`.
 * @param {any} t
 * @param {{ host: string, port: number }} server
 * @param {(data: Buffer, sent: string) => boolean} isWrite
 */
export async function cuttingProxy(t, { host, port }, isWrite) {
  let left = 0
  let cuts = 0
  let armed = 0 // how often `cutAnswers` was called
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
  const cutAnswers = (count = 1) => {
    left = count
    armed += 1
  }
  const { port: own } = /** @type {net.AddressInfo} */ (proxy.address())
  return { port: own, cutAnswers, cuts: () => cuts }
}
