// The client's address behind a proxy, for `ip` in the calls of Countersign; docs/client-address.md explains it.
//
// A header is as true as whoever wrote it. Each function is for one place to run in, and holds under the condition in its
// comment alone. An unexpected form gives undefined, with which every rule about addresses denies (`address_unknown`).
//
// `req` is a request of Node's, Express, Fastify and Koa among them, or a standard `Request`.
import { BlockList, isIP } from 'node:net'
import proxyAddr from 'proxy-addr'

/** @typedef {{ headers: Headers | import('node:http').IncomingHttpHeaders }} WithHeaders */
/** @typedef {import('node:http').IncomingMessage} WithSocket  has the address of the other end of the connection, which nobody can name */

/**
 * No proxy. Only if clients connect to this process themselves.
 * @param {WithSocket} req
 */
export const direct = (req) => plain(req.socket.remoteAddress)

/**
 * Proxies of your own, such as nginx, that write `x-forwarded-for`: as `trust proxy` in Express, for other frameworks.
 * Only if `proxies` names these proxies and nobody else, and the first of them writes the header anew or appends to it.
 * @param {WithSocket} req
 * @param {ReturnType<typeof proxyAddr.compile>} proxies  made once: `proxyAddr.compile(['10.0.0.4', '10.0.1.0/24'])`
 */
export const ownProxies = (req, proxies) => plain(proxyAddr(req, proxies))

/**
 * Azure App Service. It appends the client to `x-forwarded-for`, with a port.
 * Only without Front Door, an Application Gateway or another proxy in front of it.
 * @param {WithHeaders} req
 */
export const azureAppService = (req) => forwarded(req, 1)

/**
 * Azure Front Door. `x-azure-socketip` is the other end of the connection to Front Door. It is not `x-azure-clientip`, which
 * clients can name.
 * Only if the origin takes connections of the service tag AzureFrontDoor.Backend alone, from where other customers come too:
 * hence the id of your own Front Door.
 * @param {WithHeaders} req
 * @param {string} id  of your Front Door: a GUID, in its overview
 */
export const azureFrontDoor = (req, id) =>
  id !== '' && header(req, 'x-azure-fdid') === id ? plain(header(req, 'x-azure-socketip')) : undefined

/**
 * Cloudflare. Only if your zone alone reaches the origin: by a tunnel, or by authenticated origin pulls with a certificate of
 * your own. From Cloudflare's networks alone other customers come too. And only without "Pseudo IPv4: overwrite headers".
 * @param {WithSocket} req
 * @param {BlockList} networks  Cloudflare's, as https://www.cloudflare.com/ips lists them, or the address of cloudflared
 */
export const cloudflare = (req, networks) =>
  isIn(networks, req.socket.remoteAddress) ? plain(header(req, 'cf-connecting-ip')) : undefined

/**
 * AWS, an Application Load Balancer. It appends the client to `x-forwarded-for`.
 * Only if the security group admits the balancer alone, its attribute `xff_header_processing.mode` is `append`, and no
 * CloudFront is in front of it.
 * @param {WithHeaders} req
 */
export const awsLoadBalancer = (req) => forwarded(req, 1)

/**
 * AWS, CloudFront. Only if the distribution alone reaches the origin, as a VPC origin does, and its origin request policy adds
 * `cloudfront-viewer-address`: address and port, without brackets for IPv6 as well.
 * @param {WithHeaders} req
 */
export const cloudFront = (req) => plain(/^(.+):\d{1,5}$/.exec(header(req, 'cloudfront-viewer-address') ?? '')?.[1])

/**
 * Google Cloud, an external Application Load Balancer. It appends the client and itself to `x-forwarded-for`.
 * Only if the firewall admits the balancer alone.
 * @param {WithHeaders} req
 */
export const googleCloud = (req) => forwarded(req, 2)

/**
 * Fly.io. Only for a service behind Fly Proxy, which no other app of your organization reaches by the private network, and
 * without another proxy in front.
 * @param {WithHeaders} req
 */
export const fly = (req) => plain(header(req, 'fly-client-ip'))

/**
 * Vercel, which overwrites what a client sent. Only without another proxy in front: then it is the address of that one.
 * @param {WithHeaders} req
 */
export const vercel = (req) => plain(header(req, 'x-vercel-forwarded-for'))

/** Networks for `cloudflare`. @param {string[]} cidrs  such as `173.245.48.0/20` */
export function networks(cidrs) {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [address, bits] = cidr.split('/')
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

/** @param {BlockList} networks @param {string | undefined} address */
const isIn = (networks, address = '') => networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** The entry of `x-forwarded-for` that is the nth from its end, where proxies append. Those before it are the client's. */
const forwarded = (req, nth) => plain(header(req, 'x-forwarded-for')?.split(',').at(-nth))

/** A header, if it is there. One that comes twice is one text with a comma, which is no address. */
function header({ headers }, name) {
  const value = headers instanceof Headers ? headers.get(name) : headers[name]
  return typeof value === 'string' ? value : undefined
}

/** An address without port, brackets and zone, or undefined for anything else. @param {string | undefined} text */
function plain(text = '') {
  const [, six, four] = /^(?:\[([^\]]+)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(text.trim()) ?? []
  const address = six ?? four ?? text.trim()
  return isIP(address) !== 0 && !address.includes('%') ? address : undefined
}
