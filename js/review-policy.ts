// The review of a change of policy, for accounts of any size: the policy is compiled once, people are read and
// added in batches, and the event loop is free again after 20 milliseconds of work.
import type { ReviewPolicyInput } from './commands.js'
import { CountersignError } from './error.js'
import { anything, documentText, idText, listOf, optional, read, shape, text } from './input.js'
import type { Store } from './store.js'
import { load } from './store.js'
import type * as wasm from './wasm.js'
import { call } from './wasm.js'

/** Work without a pause, in milliseconds. */
const SLICE = 20
/** People added between two looks at the time. */
const BATCH = 64
/** As many people as a review takes. */
const MAX_PEOPLE = 100_000

const place = { roles: optional(listOf(text)), ip: optional(text) }
const userOf = shape({ user: idText, role: text, enrollment: optional(text), ...place })
const clientOf = shape({ id: text, ...place })

/** Reviews a policy; see `SecondFactor.reviewPolicy`. @internal */
export async function reviewPolicy(
  input: ReviewPolicyInput,
  { keys, store, clock }: { keys: string; store: Store; clock: () => number },
): Promise<wasm.Review> {
  const {
    account,
    policy,
    author,
    users,
    apiClients: clients = [],
  } = read(input, '', {
    account: optional(idText),
    policy: anything,
    author: shape({ user: idText, ip: optional(text) }),
    users: people,
    apiClients: optional(people),
  }) as { account?: string; policy: unknown; author: unknown; users: unknown[]; apiClients?: unknown[] }
  const document = documentText(policy, 'invalid_policy', 'policy')
  const pause = pauses()
  const review = call((module) => new module.PolicyReview(document, account, keys, JSON.stringify(author), clock()))
  try {
    for (let start = 0; start < users.length; start += BATCH) {
      await pause()
      const batch = users.slice(start, start + BATCH).map((user, index) => userOf(user, `users[${start + index}]`))
      const rows = await Promise.all(batch.map((user) => withRecord(user as Row, account, store)))
      counted(start, () => call(() => review.add_users(JSON.stringify({ users: rows }))))
    }
    for (let start = 0; start < clients.length; start += BATCH) {
      await pause()
      const batch = clients.slice(start, start + BATCH)
      const apiClients = batch.map((client, index) => clientOf(client, `apiClients[${start + index}]`))
      counted(start, () => call(() => review.add_api_clients(JSON.stringify({ apiClients }))))
    }
    await pause()
  } catch (error) {
    review.free()
    throw error
  }
  return call(() => review.finish() as wasm.Review)
}

interface Row {
  user: string
  enrollment?: string
  record?: string
}

/** A user, with the stored record where the enrollment is to be read from it. */
async function withRecord(user: Row, account: string | undefined, store: Store): Promise<Row> {
  if (user.enrollment !== undefined) return user
  const stored = await load(store, { account, user: user.user })
  return stored === undefined ? user : { ...user, record: stored.record }
}

/** A list of people as it is. Its entries are read batch by batch. */
function people(value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) throw new CountersignError('invalid_input', path, 'must be a list')
  if (value.length > MAX_PEOPLE) throw new CountersignError('invalid_input', path, 'is too long: at most 100,000')
  return Array.from(value)
}

/** The path of an error in a batch is that in the whole list. */
function counted(start: number, job: () => void): void {
  try {
    job()
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    const path = error.path.replace(/^(\w+)\[(\d+)\]/, (_, list, index) => `${list}[${start + Number(index)}]`)
    throw new CountersignError(error.code, path, error.message.replace(/^`[^`]*`: /, ''))
  }
}

/** Waits for the event loop's next turn, once the slice of time is used up. */
function pauses(): () => Promise<void> {
  let ends = performance.now() + SLICE
  return async () => {
    if (performance.now() < ends) return
    await new Promise<void>((resolve) => {
      setTimeout(resolve)
    })
    ends = performance.now() + SLICE
  }
}
