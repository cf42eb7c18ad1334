// Networks to search for addresses.

import ipaddr from 'ipaddr.js'

/** The network that a text names, or the single address; nothing where it names neither. IPv4 is a part of IPv6 here. */
export function networkOf(text) {
  const [first] = text.split('/')
  const bits = ipaddr.IPv4.isValidFourPartDecimal(first) ? 32 : ipaddr.IPv6.isValid(first) ? 128 : undefined
  if (bits === undefined) return undefined
  try {
    const [address, length] = ipaddr.parseCIDR(text === first ? `${first}/${bits}` : text)
    return { address: wide(address), length: length + 128 - bits }
  } catch {
    return undefined
  }
}

/** Whether an address, as an event holds it, is in the network. */
export const isIn = (ip, { address, length }) => ipaddr.isValid(ip) && wide(ipaddr.parse(ip)).match(address, length)

const wide = (address) => (address instanceof ipaddr.IPv4 ? address.toIPv4MappedAddress() : address)
