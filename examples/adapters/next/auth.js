// The second factor of the app. Next runs modules when it builds, where there are no keys: so the host is loaded by the first request.
import { nextSecondFactor } from 'countersign/next'

const { ADDRESS_HEADER } = process.env // such as x-real-ip: your platform sets it, and no client can

export const auth = nextSecondFactor(async () => {
  const { facts, mayRescue, secondFactor } = await import('../host.js')
  const pages = { login: '/sign-in', secondStep: '/second-step', home: '/account' }
  const ip = ADDRESS_HEADER ? (header) => header(ADDRESS_HEADER) : undefined
  return { secondFactor, facts, mayRescue, pages, ip }
})

/** The id of the user whose name and password these are. */
export const checkPassword = async (fields) => (await import('../host.js')).checkPassword(fields)
