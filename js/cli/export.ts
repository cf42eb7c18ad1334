// `countersign export`: the authenticator apps of all users, for an operator who leaves us, encrypted to the key of a recipient.
//
// The secrets are in the clear nowhere but in this process: never on a terminal, in a pipe or in a file that is there already. It
// needs the store and the key ring both, and the log of the host hears of it first.
//
// The file is one of age (https://age-encryption.org/v1). Within are lines of JSON: a header, a line for each app with the ids of
// its user and an `otpauth://` URI, and an end. `countersign import --from countersign` reads them.
import { open, rm } from 'node:fs/promises'
import { type ExportedApp, type ExportedUser, exportedUsers } from '../exporting.js'
import { END, HEADER } from '../import/countersign.js'
import { decoded } from '../import/encodings.js'
import { uriFor } from '../import/otpauth.js'
import type { OperatorOptions } from '../operator.js'
import { argumentsOf, nameOf, optionsIn, UsageError, wordsWithCause } from './common.js'
import { Progress } from './progress.js'

/** Exit code where users are not in the export; all others are. */
const SOME_LEFT_OUT = 3

export async function exportApps(args: string[]): Promise<void> {
  const {
    config,
    out,
    operator,
    account,
    to = [],
  } = argumentsOf(args, ['config', 'out', 'operator'], ['account'], { many: ['to'] })
  if (to.length === 0) throw new UsageError('--to is missing: the public key of the recipient, age1…')
  if (out === '-') throw new UsageError('--out must be a file: an export goes neither to a terminal nor into a pipe')
  const { Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  for (const recipient of to) {
    try {
      encrypter.addRecipient(recipient)
    } catch {
      throw new UsageError(
        `--to is no public key of age: ${recipient.startsWith('age1') ? recipient : 'it must start with age1'}`,
      )
    }
  }
  const options = await optionsIn(config)
  // A new file, for its owner alone. A terminal, a pipe and a file of somebody else's are there already.
  const file = await open(out, 'wx', 0o600).catch((error: unknown) => {
    const { code } = error as { code?: unknown }
    throw code === 'EEXIST' ? new Error(`${out} is there already: an export is always a new file`) : error
  })
  const lines = new Lines(exportedUsers(options, { operator, account }), issuerIn(options))
  try {
    const encrypted = await encrypter.encrypt(streamOf(lines.all()))
    const reader = encrypted.getReader()
    for (let part = await reader.read(); !part.done; part = await reader.read()) await file.writeFile(part.value)
    await file.sync()
    await file.close()
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(out, { force: true })
    throw error
  }
  lines.end(out)
  if (lines.leftOut > 0) process.exitCode = SOME_LEFT_OUT
}

/** The lines of an export, with a count of what is in it. */
class Lines {
  readonly #users: AsyncIterable<ExportedUser>
  readonly #issuer: string
  readonly #progress = new Progress()
  #exported = 0
  #apps = 0
  leftOut = 0

  constructor(users: AsyncIterable<ExportedUser>, issuer: string) {
    this.#users = users
    this.#issuer = issuer
  }

  async *all(): AsyncIterable<object> {
    yield HEADER
    // A user who logs in meanwhile may be on two pages.
    const seen = new Set<string>()
    for await (const found of this.#users) {
      const { account, user } = found
      const key = JSON.stringify([account, user])
      if (seen.has(key)) continue
      seen.add(key)
      if ('apps' in found) {
        this.#exported += 1
        for (const app of found.apps) yield this.#line({ account, user }, app)
      } else {
        this.leftOut += 1
        this.#progress.clear()
        const reason =
          'error' in found ? wordsWithCause(found.error) : 'a move of the user is not complete: do it again first'
        console.error(`not exported: ${nameOf({ account, user })}: ${reason}`)
      }
      this.#progress.tell(() => `${this.#exported} users`)
    }
    yield { ...END, users: this.#exported, apps: this.#apps, leftOut: this.leftOut }
  }

  #line({ account, user }: { account?: string | undefined; user: string }, app: ExportedApp): object {
    this.#apps += 1
    const { secret, digits, period, algorithm, lastStep } = app
    const uri = uriFor({
      issuer: this.#issuer,
      label: user,
      secret: decoded(secret, 'base32'),
      digits,
      period,
      algorithm,
    })
    return { ...(account !== undefined && { account }), user, name: app.factor.name, uri, lastStep }
  }

  end(out: string): void {
    this.#progress.clear()
    console.log(`${this.#apps} apps of ${this.#exported} users are in ${out}`)
    if (this.leftOut > 0) console.error(`${this.leftOut} users are not in it`)
  }
}

/** Lines as bytes, one after the other as they are asked for. */
function streamOf(lines: AsyncIterable<object>): ReadableStream<Uint8Array> {
  const iterator = lines[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done === true) controller.close()
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`))
    },
    cancel: async () => void (await iterator.return?.()),
  })
}

/** The name of the service in the URIs: that of the policy, where there is one for all. */
function issuerIn({ policy }: OperatorOptions): string {
  try {
    const document: unknown = typeof policy === 'string' ? JSON.parse(policy) : policy
    const { name } = document as { name?: unknown }
    if (typeof policy !== 'function' && typeof name === 'string' && name !== '') return name.replaceAll(':', ' ')
  } catch {
    // The operator's means refuse a policy that is none.
  }
  return 'Countersign'
}
