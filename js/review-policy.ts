// The review of a change of policy, for accounts of any size: each policy is compiled once, people are read and
// added in batches, and the event loop is free again after 20 milliseconds of work. Where users have one second
// factor for many accounts, each is reviewed under the combination of their own accounts.
import type { PolicyQuestion, ReviewPolicyInput } from './commands.js'
import { CountersignError } from './error.js'
import { anything, idText, listOf, optional, read, shape, text } from './input.js'
import { askPolicy, compiler, type Policies, type PolicyTexts, textsOf } from './policy-cache.js'
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
const userOf = shape({ user: idText, role: text, enrollment: optional(text), plan: optional(text), ...place })
const clientOf = shape({ id: text, ...place })

/** Reviews a policy; see `SecondFactor.reviewPolicy`. @internal */
export async function reviewPolicy(
  input: ReviewPolicyInput,
  { keys, store, clock, policies }: { keys: string; store: Store; clock: () => number; policies: Policies },
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
  }) as { account?: string; policy: unknown; author: { user: string }; users: unknown[]; apiClients?: unknown[] }
  const textsFor = await sourceOf(policy, { account, user: author.user }, policies)
  const { name, texts, isList } = await textsFor(author.user)
  const pause = pauses()
  const review = call(
    (module) => new module.PolicyReview(texts, isList, account, keys, JSON.stringify(author), clock()),
  )
  const compile = compiler(new Map([[name, call(() => review.authors_policy())]]))
  const compiled = ({ name, texts, isList }: PolicyTexts) =>
    compile(name, () => call(() => review.compile(texts, isList)))

  /** Adds people batch by batch, and in a batch those next to each other who are under one policy. */
  async function addAll<Person>(all: unknown[], { read, id, add }: Kind<Person>): Promise<void> {
    for (let start = 0; start < all.length; start += BATCH) {
      await pause()
      const batch = await Promise.all(
        all.slice(start, start + BATCH).map(async (person, index) => {
          const row = await read(person, start + index)
          return { row, source: await textsFor(id(row)) }
        }),
      )
      for (let first = 0, end = 0; first < batch.length; first = end) {
        const { source } = batch[first]!
        while (end < batch.length && batch[end]!.source.name === source.name) end += 1
        if (first > 0) await pause()
        const rows = batch.slice(first, end).map(({ row }) => row)
        const next = compiled(source)
        counted(start + first, () => add(next, rows))
      }
    }
  }

  try {
    await addAll<Row>(users, {
      read: (user, index) => withRecord(userOf(user, `users[${index}]`) as unknown as Row, account, store),
      id: ({ user }) => user,
      add: (next, rows) => call(() => review.add_users(next, JSON.stringify({ users: rows }))),
    })
    await addAll<{ id: string }>(clients, {
      read: async (client, index) => clientOf(client, `apiClients[${index}]`) as unknown as { id: string },
      id: ({ id }) => id,
      add: (next, apiClients) => call(() => review.add_api_clients(next, JSON.stringify({ apiClients }))),
    })
    await pause()
  } catch (error) {
    review.free()
    throw error
  }
  return call(() => review.finish() as wasm.Review)
}

/** People of one kind: how one is read, what id the policy is asked with, and how those under one policy are added. */
interface Kind<Person> {
  read: (person: unknown, index: number) => Promise<Person>
  id: (person: Person) => string
  add: (next: wasm.NextPolicy, people: Person[]) => void
}

/** The policy that is to come, by user. */
async function sourceOf(policy: unknown, author: PolicyQuestion, policies: Policies) {
  if (typeof policy === 'function') {
    return async (user: string) =>
      textsOf(await askPolicy(policy as (question: PolicyQuestion) => unknown, { account: author.account, user }))
  }
  const fixed = textsOf(policy)
  if (!fixed.isList && (await policies.isOfMany(author))) {
    throw new CountersignError(
      'invalid_policy',
      'policy',
      'must be all policies of a user, as the service gives them: a list, or a function that gives it',
    )
  }
  return async () => fixed
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
