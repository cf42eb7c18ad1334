// The means of a second factor that the adapters need and its methods do not give: its clock, the seal of its key ring, and its
// revocation list. They are found by the object that `createSecondFactor` made, so that a copy of it has none.
import { invalid } from './error.js'
import type { SecondFactor } from './second-factor.js'

/** The session of a login, and its user. */
export interface SessionOf {
  account?: string | undefined
  user: string
  session: string
}

/** The means of one second factor. */
export interface Sealer {
  /** The clock, in unix seconds. */
  now(): number
  /** Seals a text for some seconds from now on. */
  seal(text: string, seconds: number): string
  /** Opens it; `undefined` for any other text, and once its time is over. */
  open(sealed: string): string | undefined
  /** Seconds for which a sealed session may live: with a pass, no longer than an entry of the revocation list that ends it. */
  secondsOf(id: { account?: string | undefined; user: string }, hasPass: boolean): number | Promise<number>
  /** Whether the revocation list ends a session that began at that time; false where there is no list. */
  hasEnded(session: SessionOf, since: number): Promise<boolean>
  /** Whether the store holds the revocation list, so that `endSessions` works. */
  holdsList: boolean
}

const sealers = new WeakMap<object, Sealer>()

/** Notes the means of a second factor. */
export function registerSealer(secondFactor: SecondFactor, sealer: Sealer): SecondFactor {
  sealers.set(secondFactor, sealer)
  return secondFactor
}

/** The means of a second factor that `createSecondFactor` made. */
export function sealerOf(secondFactor: unknown): Sealer {
  const sealer = typeof secondFactor === 'object' && secondFactor !== null ? sealers.get(secondFactor) : undefined
  if (sealer === undefined)
    throw invalid('secondFactor', 'must be the object that createSecondFactor gave, and no copy of it')
  return sealer
}
