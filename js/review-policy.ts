// The review of a change of policy, for accounts of any size: each policy is compiled once, people are read and
// added in batches, and the event loop is free again after 20 milliseconds of work, within a batch as well. Where users
// have one second factor for many accounts, each is reviewed under the combination of their own accounts.
import type { PolicyQuestion, ReviewPolicyInput } from './commands.js'
import { CountersignError, withoutPath } from './error.js'
import { accountId, anything, idText, listOf, optional, read, shape, text } from './input.js'
import { askPolicy, compiler, isListed, onAnswer, type Policies, type PolicyTexts, textsOf } from './policy-cache.js'
import type { Store } from './store.js'
import { load } from './store.js'
import type * as wasm from './wasm.js'
import { call } from './wasm.js'

/** Work without a pause, in milliseconds. */
const SLICE = 20
/** People read at the same time, and added at once under one policy. Under a list, fewer are added at once. */
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
    account: accountId,
    policy: anything,
    author: shape({ user: idText, ip: optional(text) }),
    users: people,
    apiClients: optional(people),
  }) as { account?: string; policy: unknown; author: { user: string }; users: unknown[]; apiClients?: unknown[] }
  const pause = pauses()
  const next = await nextPolicy(policy, { account, user: author.user }, policies, pause)
  const authors = await compile(next.ofAuthor, pause)
  const review = call((module) => new module.PolicyReview(authors, account, keys, JSON.stringify(author), clock()))
  const known = compiler(new Map([[next.ofAuthor.name, Promise.resolve(authors)]]))
  const compiled = (source: Source) =>
    known(source.name, async () => {
      const policy = await compile(source, pause)
      call(() => review.add_policy(policy))
      return policy
    })

  /** Adds people batch by batch, and in a batch those next to each other who are under one policy. */
  async function addAll<Person>(all: unknown[], { list, read, id, add }: Kind<Person>): Promise<void> {
    for (let start = 0; start < all.length; start += BATCH) {
      const place = (index: number) => `${list}[${start + index}]`
      const people = all.slice(start, start + BATCH)
      const rows = await inParallel(people, pause, (person, index) => read(person, place(index)))
      const sources = await next.ofAll(rows.map(id), place)
      for (let first = 0, end = 0; first < rows.length; first = end) {
        const source = sources[first]!
        const most = first + Math.max(1, Math.floor(BATCH / source.texts.length))
        while (end < rows.length && end < most && sources[end]!.name === source.name) end += 1
        await pause()
        const policy = await compiled(source)
        counted(start + first, () => add(policy, rows.slice(first, end)))
      }
    }
  }

  try {
    await addAll<Row>(users, {
      list: 'users',
      read: (user, path) => withRecord(userOf(user, path) as unknown as Row, account, store),
      id: ({ user }) => user,
      add: (next, rows) => call(() => review.add_users(next, JSON.stringify({ users: rows }))),
    })
    await addAll<{ id: string }>(clients, {
      list: 'apiClients',
      read: async (client, path) => clientOf(client, path) as unknown as { id: string },
      id: ({ id }) => id,
      add: (next, apiClients) => call(() => review.add_api_clients(next, JSON.stringify({ apiClients }))),
    })
    await pause()
  } catch (error) {
    call(() => review.free())
    throw error
  }
  return call(() => review.finish() as wasm.Review)
}

/**
 * People of one kind: the name of their list, how one is read, what id the policy is asked with, and how those under one
 * policy are added.
 */
interface Kind<Person> {
  list: string
  read: (person: unknown, path: string) => Promise<Person>
  id: (person: Person) => string
  add: (next: wasm.CompiledPolicy, people: Person[]) => void
}

/** The texts that a person is under, and the way to run a job on them: its error says that a function gave them. */
interface Source extends PolicyTexts {
  explained<T>(job: () => T): T
}

/** The policy that is to come. */
interface NextPolicy {
  ofAuthor: Source
  /** Those of the people with these ids; `place` is the path of one in its list. */
  ofAll(ids: string[], place: (index: number) => string): Promise<Source[]>
}

/** Compiles a policy, or a list of them, with a pause after each part of the work. */
async function compile({ texts, isList, explained }: Source, pause: Pause): Promise<wasm.CompiledPolicy> {
  const compilation = call((module) => new module.PolicyCompilation(isList))
  for (const text of texts) {
    await pause()
    explained(() => call(() => compilation.read(text)))
    await pause()
    explained(() => call(() => compilation.check()))
  }
  await pause()
  return explained(() => call(() => compilation.finish()))
}

/** The policy that is to come: one or a list for all, or that which a function gives for each. */
async function nextPolicy(
  policy: unknown,
  author: PolicyQuestion,
  policies: Policies,
  pause: Pause,
): Promise<NextPolicy> {
  if (typeof policy !== 'function') {
    const fixed = { ...textsOf(policy), explained: <T>(job: () => T): T => job() }
    sameForm(fixed, await policies.isOfMany(author), (is, form) => `is ${is}, where the service gives ${form}`)
    return { ofAuthor: fixed, ofAll: async (ids) => ids.map(() => fixed) }
  }
  const authorsIsOfMany = await policies.isOfMany(author, ' for `author`')
  const ask = async (user: string, place: string) => {
    const question = { account: author.account, user }
    const whom = ` for \`${place}\``
    const answer = await askPolicy(policy as (question: PolicyQuestion) => unknown, question, whom)
    // The service is asked about those only whose answer has another form than the service's for the author.
    const isOfMany = isListed(answer) === authorsIsOfMany ? authorsIsOfMany : await policies.isOfMany(question, whom)
    return { answer, whom, isOfMany }
  }
  const sourceOf = ({ answer, whom, isOfMany }: Awaited<ReturnType<typeof ask>>): Source => {
    const explained = <T>(job: () => T): T => onAnswer(answer, whom, job)
    const texts = explained(() => textsOf(answer))
    sameForm(texts, isOfMany, (is, form) => `the function gave ${is}${whom}, where the service gives ${form}`)
    return { ...texts, explained }
  }
  return {
    ofAuthor: sourceOf(await ask(author.user, 'author')),
    ofAll: async (ids, place) => {
      const answers = await inParallel(ids, pause, (user, index) => ask(user, place(index)))
      const sources: Source[] = []
      for (const answer of answers) {
        await pause()
        sources.push(sourceOf(answer))
      }
      return sources
    },
  }
}

/** A list and one policy have different rules of rescue, so the review must have the form that the service has. */
function sameForm({ isList }: PolicyTexts, isOfMany: boolean, fault: (is: string, form: string) => string): void {
  if (isList === isOfMany) return
  const message = isList
    ? `${fault('a list', 'one policy')}: give one policy here too, that of the account`
    : `${fault('one policy', 'a list')}: give all policies of the user here too, as a list or by a function`
  throw new CountersignError('invalid_policy', 'policy', message)
}

/** Runs a job for each item, all at the same time, and starts none when the slice of time is used up. */
async function inParallel<Item, Result>(
  items: Item[],
  pause: Pause,
  job: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const running: Promise<Result>[] = []
  for (const [index, item] of items.entries()) {
    const due = pause()
    if (due) await due
    const one = job(item, index)
    // It may fail during a later pause, before anything waits for it.
    one.catch(() => undefined)
    running.push(one)
  }
  return Promise.all(running)
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
    throw new CountersignError(error.code, path, withoutPath(error))
  }
}

type Pause = () => Promise<void> | undefined

/** Waits for the event loop's next turn once the slice of time is used up, and gives nothing to wait for before. */
function pauses(): Pause {
  let ends = performance.now() + SLICE
  return () => {
    if (performance.now() < ends) return undefined
    return new Promise<void>((resolve) => {
      setTimeout(resolve)
    }).then(() => {
      ends = performance.now() + SLICE
    })
  }
}
