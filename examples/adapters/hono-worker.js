// Hono on Cloudflare Workers, and on workerd by itself.
import { env } from 'cloudflare:workers'
import { createSecondFactor, memoryStore } from 'countersign'
import { appOf } from './hono-app.js'

const users = new Map([
  ['ann@acme.example', { id: 'u-1', isOwner: true }],
  ['bob@acme.example', { id: 'u-2', isOwner: false }],
])
const nameOf = (id) => [...users].find(([, user]) => user.id === id)?.[0]

export default appOf({
  secondFactor: createSecondFactor({
    policy: env.POLICY,
    keys: env.COUNTERSIGN_KEYS,
    store: memoryStore(), // for a try: each worker has its own, so take a store on a database
    sendSms: async ({ to, body }) => console.log(`SMS to ${to}: ${JSON.stringify(body)}`), // your gateway's place
  }),
  // Stands for your own users and the hashes of their passwords.
  checkPassword: ({ name, password }) => (password === `${name} has a password` ? users.get(name)?.id : undefined),
  facts: ({ user }) => ({ label: nameOf(user) }),
  mayRescue: (owner, user) => users.get(nameOf(owner.user))?.isOwner === true && nameOf(user) !== undefined,
  // Cloudflare sets it, and no client can. workerd by itself tells the connection's address.
  ip: (c) => c.req.header('cf-connecting-ip'),
})
