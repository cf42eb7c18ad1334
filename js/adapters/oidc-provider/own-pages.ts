// The pages of the provider's own host, such as that of a person's factors: they are no client, and ask for themselves.
import type * as wasm from '../../wasm.js'
import type { ReadOptions } from './options.js'
import { keptOf, nameOf } from './session.js'
import { FIELD, type NodeRequest, type OidcProvider } from './types.js'

/** The rules by which a pass counts for one page; see `check`. */
export interface PageRules {
  /** Greatest age of the second factor in seconds; of the password, where the person has none. */
  maxAge?: number | undefined
  /** The methods whose passes count; all by default. */
  methods?: wasm.Method[] | undefined
  /** Whether the factor must be at most `freshSeconds` old and still in the record. */
  fresh?: boolean | undefined
}

/** The person of an OP session. */
export interface SignedIn {
  /** The answer of `check`: only `in` lets the person in. */
  reply: wasm.CheckReply
  /** The session's part of every command. */
  caller: {
    account?: string | undefined
    user: string
    session: string
    pass: string | undefined
    ip: string | undefined
    roles: string[] | undefined
  }
  /** The plan of `facts`, which `enrollTotp` takes beside it. */
  plan: string | undefined
  /** The label of `facts`, which it takes too; the user's id by default. */
  label: string
}

/** The person of a request's OP session. `undefined`: nobody. */
export async function signedIn(
  { secondFactor, callerOf, ip }: ReadOptions,
  provider: OidcProvider,
  req: NodeRequest,
  res: object,
  rules: PageRules = {},
): Promise<SignedIn | undefined> {
  const ctx = provider.createContext(req, res)
  const session = await provider.Session.get(ctx)
  if (session.accountId === undefined) return undefined
  const { rotation, pass, at } = keptOf(session)
  const { user, roles, plan, label } = await callerOf(session.accountId)
  const address = ip === undefined ? ctx.ip : ip(req)
  const caller = { ...user, session: nameOf(session.uid, rotation), pass, ip: address, roles }
  const { maxAge, methods, fresh } = rules
  const reply = await secondFactor.check({ ...caller, maxAge, methods, fresh })
  // Without a second factor an unattended session must not set up one.
  const isTooOld = reply.result === 'in' && reply.method === undefined && isOlder(at, maxAge)
  return { reply: isTooOld ? { result: 'second_step', reason: 'too_old' } : reply, caller, plan, label }
}

const isOlder = (time: number, maxAge: number | undefined) =>
  maxAge !== undefined && Math.floor(Date.now() / 1_000) - time > maxAge

/** Keeps the pass that a change of factors brought. `false`: the session has ended, or went one step further meanwhile. */
export async function keepPass(provider: OidcProvider, req: NodeRequest, res: object, pass: string): Promise<boolean> {
  const session = await provider.Session.get(provider.createContext(req, res))
  const kept = session[FIELD]
  if (kept === undefined) return false
  const latest = await provider.Session.findByUid(session.uid)
  if (latest?.jti !== session.jti) return false
  latest[FIELD] = { ...kept, pass }
  await latest.persist()
  return true
}
