// Whole logins by the engine on the store: a code counts once, wherever it is typed, and wrong ones never beyond the cap.
import { createSecondFactor, generateKeys, type Policy, type Store, totp } from '../../index.js'
import { fresh, type OpenInstance, withInstances } from './asking.js'
import type { Place } from './crews.js'
import { found } from './defects.js'
import type { LoginInput } from './jobs.js'

const TIME = 1_800_000_000
/** Users whose codes are raced for; a backup code costs a hash in each engine. */
const USERS = { totp: { here: 2, apart: 6 }, backup_code: { here: 1, apart: 3 } }
/** Wrong codes until the first wait. */
const CAP = 5
const RULES = { v: 1, name: 'Kit', origin: 'https://kit.example' } as const
/** The cheapest hashes that a policy may ask for. */
const BACKUP_CODES = { count: 1, memoryKib: 7_168, passes: 5 }

type Method = LoginInput['method']
type Service = Omit<LoginInput, 'burst'> & { secrets: string[] }

const policyOf = (method: Method): Policy =>
  method === 'totp'
    ? { ...RULES, methods: ['totp'] }
    : { ...RULES, methods: ['totp', 'backup_code'], backupCodes: BACKUP_CODES }

/** Users with an app, and for each a code that is right. */
async function service(store: Store, method: Method, count: number): Promise<Service> {
  const policy = policyOf(method)
  const keys = generateKeys()
  let time = TIME
  const factor = createSecondFactor({ policy, keys, store, clock: () => time, hashing: 'inline' })
  const run = fresh()
  const users: LoginInput['users'] = []
  const secrets: string[] = []
  for (let n = 0; n < count; n += 1) {
    time = TIME
    const who = { user: `${run} login ${n}`, session: 'setup' }
    const started = await factor.enrollTotp({ ...who, label: 'kit' })
    if (started.result !== 'totp_started') found('error', `a set-up began with ${started.result}`)
    const { secret, setup } = started
    const enrolled = await factor.confirmTotp({ ...who, setup, code: totp.generate({ secret, time }) })
    if (enrolled.result !== 'enrolled') found('stale read', `the set-up of a new user ended with ${enrolled.result}`)
    time = TIME + 60
    const login = await factor.begin({ user: who.user, session: 'before' })
    if (login.result !== 'challenge')
      found('stale read', `a login right after the set-up of an app was ${login.result}`)
    const code = method === 'totp' ? totp.generate({ secret, time }) : enrolled.backupCodes?.[0]
    users.push({ ticket: login.ticket, code: code ?? found('error', 'a set-up gave no backup codes') })
    secrets.push(secret)
  }
  return { policy, keys, time: TIME + 60, method, users, secrets }
}

const setUp = (open: OpenInstance, method: Method, users: number) =>
  withInstances(open, 1, ([store]) => service(store!, method, users))

/** The replies to the racers, for each user. */
async function replies(place: Place, { secrets, ...input }: Service, burst: number): Promise<string[][]> {
  const told = await place.race((racers) => Promise.all(racers.map((racer) => racer.run('login', { ...input, burst }))))
  return input.users.map((_, at) => told.flatMap((each) => each[at]!))
}

const count = (all: readonly string[], result: string) => all.filter((each) => each === result).length

function complainOfErrors(all: readonly string[], where: string): void {
  const errors = all.filter((each) => each.startsWith('error: '))
  if (errors.length > 0)
    found('error', `${errors.length} of ${all.length} logins at once, ${where}, ended with ${errors[0]}`)
}

/** One code, typed at once by many, lets one in. */
export const oneCode = (open: OpenInstance, method: Method, place: Place) => async (): Promise<void> => {
  const input = await setUp(open, method, USERS[method][place.apart ? 'apart' : 'here'])
  const burst = method === 'totp' ? place.burst * 5 : place.burst
  for (const all of await replies(place, input, burst)) {
    const verified = count(all, 'verified')
    if (verified > 1)
      found('lost update', `one ${method} code, typed ${all.length} times at once, ${place.name}, let ${verified} in`)
    complainOfErrors(all, place.name)
    if (verified === 0)
      found('write without true', `one ${method} code, typed ${all.length} times at once, ${place.name}, let nobody in`)
  }
}

/** Of wrong codes, typed at once by many, no more are compared than the cap allows. */
export const wrongCodes = (open: OpenInstance, place: Place) => async (): Promise<void> => {
  const input = await setUp(open, 'totp', place.apart ? 3 : 1)
  const users = input.users.map(({ ticket }, at) => ({ ticket, code: wrongCode(input.secrets[at]!) }))
  for (const all of await replies(place, { ...input, users }, place.burst * 5)) {
    const compared = count(all, 'wrong')
    if (compared > CAP)
      found(
        'lost update',
        `${compared} of ${all.length} wrong codes at once, ${place.name}, were compared, and ${CAP} is the cap`,
      )
    complainOfErrors(all, place.name)
    if (compared < CAP)
      found('write without true', `${compared} of ${all.length} wrong codes, ${place.name}, were answered, not ${CAP}`)
  }
}

/** A code that is wrong at all times near now. */
function wrongCode(secret: string): string {
  const right = [-60, -30, 0, 30, 60].map((shift) => totp.generate({ secret, time: TIME + 60 + shift }))
  return Array.from({ length: 6 }, (_, n) => `00000${n}`).find((code) => !right.includes(code))!
}

/** A save whose answer is lost, or that loses to its own first try, counts once: it is known by the record that is read back. */
export async function lostAnswer(open: OpenInstance): Promise<void> {
  await withInstances(open, 1, async ([store]) => {
    for (const lost of ['an error', 'false'] as const) {
      const { secrets: _, ...input } = await service(store!, 'totp', 1)
      let saves = 0
      const without: Store = {
        load: (id) => store!.load(id),
        async save(...of) {
          const saved = await store!.save(...of)
          saves += 1
          // A driver that sent the statement twice. The record is then saved once more, and has an answer.
          if (lost === 'false') return saves > 1 && saved
          throw new Error('the connection was reset')
        },
      }
      const factor = createSecondFactor({
        policy: input.policy,
        keys: input.keys,
        store: without,
        clock: () => input.time,
      })
      const [{ ticket, code }] = input.users as [LoginInput['users'][0]]
      const typed = { ticket, code, session: 'before', newSession: 'in', method: 'totp' } as const
      const first = await factor.verify(typed).catch((error: Error) => ({ result: error.message }))
      if (first.result !== 'verified')
        found(
          'stale read',
          `a save landed and its answer became ${lost}; read back, the record is not the one that was saved (${first.result})`,
        )
      const again = await factor.verify(typed).catch((error: Error) => ({ result: error.message }))
      if (again.result === 'verified')
        found('true without a write', 'a code worked twice where the answer of the store was lost')
    }
  })
}
