// The parts on their own, for a host that wants only one of them. All are synchronous: none waits.
import type { KeySource, PolicyAnswer, PolicySource, ReviewedApiClient, ReviewedUser } from './commands.js'
import { invalid } from './error.js'
import { documentText, flag, listOf, optional, read, seconds, shape, text, whole } from './input.js'
import { compiler, textsOf } from './policy-cache.js'
import type * as wasm from './wasm.js'
import { call, randomSeed, STACK } from './wasm.js'

/** A TOTP secret and its parameters. */
export interface TotpSettings {
  /** Base32; 80 bits to 1,024. New ones have 160; many services gave out 80. */
  secret: string
  /** Default `SHA1`. */
  algorithm?: wasm.TotpAlgorithm | undefined
  /** 6 to 8; default 6. */
  digits?: number | undefined
  /** 15 to 300; default 30. */
  periodSeconds?: number | undefined
}

const settings = { secret: text, algorithm: optional(text), digits: optional(whole), periodSeconds: optional(whole) }
const timed = { ...settings, time: seconds }
const checked = { ...settings, code: text, time: seconds, window: optional(whole), after: optional(whole) }

/** Whether a code is right, and the step that it belongs to. */
export type TotpCheck = { valid: true; step: number } | { valid: false }

/** TOTP (RFC 6238). Keeping the used step and counting attempts is the caller's part here; {@link createSecondFactor} does both. */
export const totp = Object.freeze({
  /**
   * A new secret: 160 random bits in base32.
   *
   * @example
   * ```ts
   * import { otpauth, totp } from 'countersign'
   *
   * export const uri: string = otpauth.format({ issuer: 'Acme', label: 'ann', secret: totp.secret() })
   * ```
   */
  secret: (): string => call((module) => module.totp_secret(randomSeed())),
  /**
   * The code at a time in unix seconds. For tests and authenticators.
   *
   * @example
   * ```ts
   * import { totp } from 'countersign'
   *
   * export const code: string = totp.generate({ secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', time: 59 }) // 287082
   * ```
   */
  generate: (input: TotpSettings & { time: number }): string => {
    const given = read(input, '', timed) as unknown as typeof input
    const { secret, algorithm, digits, periodSeconds, time } = given
    return call((module) => module.totp_generate(secret, algorithm, digits, periodSeconds, time), STACK.values)
  },
  /**
   * Whether a code is right at a time. `window`: steps to either side, default 1. `after`: the
   * last step used; keep the `step` of every success and hand it in, or codes can be replayed.
   *
   * @example
   * ```ts
   * import { totp } from 'countersign'
   *
   * export function stepOf(secret: string, code: string, lastStep: number | undefined): number | undefined {
   *   const checked = totp.verify({ secret, code, time: Math.floor(Date.now() / 1000), after: lastStep })
   *   return checked.valid ? checked.step : undefined // keep it as the next `lastStep`
   * }
   * ```
   */
  verify: (
    input: TotpSettings & { code: string; time: number; window?: number | undefined; after?: number | undefined },
  ): TotpCheck => {
    const given = read(input, '', checked) as unknown as typeof input
    const { secret, algorithm, digits, periodSeconds, code, time, window, after } = given
    const step = call(
      (module) => module.totp_verify(secret, algorithm, digits, periodSeconds, code, time, window, after),
      STACK.values,
    )
    return step === undefined ? { valid: false } : { valid: true, step }
  },
})

/** The content of an `otpauth://totp/` URI. */
export interface OtpAuth {
  /** The service's name. */
  issuer: string
  /** The user's name, as the app shows it. */
  label: string
  /** Base32. */
  secret: string
  /** `SHA1`, `SHA256` or `SHA512`. */
  algorithm: wasm.TotpAlgorithm
  /** 6 to 8. */
  digits: number
  /** 15 to 300. */
  periodSeconds: number
}

/** `otpauth://` URIs, as authenticator apps read them. */
export const otpauth = Object.freeze({
  /**
   * Writes a URI.
   *
   * @example
   * ```ts
   * import { otpauth, qr } from 'countersign'
   *
   * export function pictureOf(user: string, secret: string): string {
   *   return qr.svg(otpauth.format({ issuer: 'Acme', label: user, secret }))
   * }
   * ```
   */
  format: (input: Pick<OtpAuth, 'issuer' | 'label'> & TotpSettings): string => {
    const document = read(input, '', { issuer: text, label: text, ...settings })
    return call((module) => module.otpauth_format(JSON.stringify(document)))
  },
  /**
   * Reads a URI as authenticator apps read it: unknown parameters are passed over, the `issuer` parameter wins over
   * the one before the label, and `issuer` or `label` is empty where the URI names none. With `strict`, reads only a
   * URI that `otpauth.format` wrote.
   *
   * HOTP, unknown algorithms, repeated parameters and names with marks of direction throw `invalid_uri`.
   *
   * @example
   * ```ts
   * import { otpauth } from 'countersign'
   *
   * export function secretOf(uri: string): string {
   *   return otpauth.parse(uri).secret
   * }
   * ```
   */
  parse: (uri: string, options: { strict?: boolean | undefined } = {}): OtpAuth => {
    const checked = text(uri, 'uri') as string
    const { strict } = read(options, '', { strict: optional(flag) })
    return call((module) => module.otpauth_parse(checked, strict === true) as OtpAuth)
  },
})

/** QR codes. */
export const qr = Object.freeze({
  /**
   * Text as SVG: one path, nothing external. The text has at most 2,331 bytes.
   *
   * @example
   * ```ts
   * import { qr } from 'countersign'
   *
   * export const picture: string = qr.svg('https://acme.example')
   * ```
   */
  svg: (content: string): string => {
    const checked = text(content, 'text') as string
    return call((module) => module.qr(checked))
  },
})

/** The codes of a user, as they are shown once. */
export interface BackupSheet {
  /** The service's name. */
  name: string
  /** The user's name. */
  user: string
  /** The codes. */
  codes: string[]
}

/** Whether a backup code is right and unused, and the text to store in place of the old one. */
export type BackupUse = { valid: true; stored: string } | { valid: false }

const sheet = { name: text, user: text, codes: listOf(text) }

/** Backup codes: as text and as a page for people, and on their own for a host that keeps everything else itself. */
export const backupCodes = Object.freeze({
  /**
   * A text to download, one code a line.
   *
   * @example
   * ```ts
   * import { backupCodes } from 'countersign'
   *
   * export function sheetOf(user: string, codes: string[]): string {
   *   return backupCodes.toText({ name: 'Acme', user, codes })
   * }
   * ```
   */
  toText: (input: BackupSheet): string => {
    const document = JSON.stringify(read(input, '', sheet))
    return call((module) => module.backup_text(document))
  },
  /**
   * A whole page to print, without scripts.
   *
   * @example
   * ```ts
   * import { backupCodes } from 'countersign'
   *
   * export function sheetOf(user: string, codes: string[]): string {
   *   return backupCodes.toHtml({ name: 'Acme', user, codes })
   * }
   * ```
   */
  toHtml: (input: BackupSheet): string => {
    const document = JSON.stringify(read(input, '', sheet))
    return call((module) => module.backup_html(document))
  },
  /**
   * New codes (1 to 20, default 10): show `codes` once, store `stored`. It holds this thread for some 25 ms a code,
   * where {@link createSecondFactor} hashes in threads of its own: call it in a worker thread where that matters.
   *
   * @example
   * ```ts
   * import { backupCodes, type Keys } from 'countersign'
   *
   * export function newCodes(keys: Keys, user: string): { codes: string[]; stored: string } {
   *   return backupCodes.generate({ keys, user, count: 10 })
   * }
   * ```
   */
  generate: (input: {
    keys: KeySource
    user: string
    count?: number | undefined
  }): { codes: string[]; stored: string } => {
    const { keys, user, count } = read(input, '', { keys: (value) => value, user: text, count: optional(whole) })
    const ring = documentText(keys, 'invalid_keys', 'keys')
    if (count !== undefined && (count as number) > 20) throw invalid('count', 'must be 1 to 20')
    return call(
      (module) =>
        module.backup_mint(ring, user as string, (count as number | undefined) ?? 10, randomSeed()) as {
          codes: string[]
          stored: string
        },
    )
  },
  /**
   * Whether a code is right and unused. If so, store `stored` by compare-and-set before you let
   * anyone in. Counting attempts is the caller's part here. It holds this thread for some 25 ms.
   *
   * @example
   * ```ts
   * import { backupCodes, type Keys } from 'countersign'
   *
   * export function use(keys: Keys, user: string, stored: string, code: string): string | undefined {
   *   const used = backupCodes.verify({ keys, user, stored, code, time: Math.floor(Date.now() / 1000) })
   *   return used.valid ? used.stored : undefined
   * }
   * ```
   */
  verify: (input: { keys: KeySource; user: string; stored: string; code: string; time: number }): BackupUse => {
    const { keys, user, stored, code, time } = read(input, '', {
      keys: (value) => value,
      user: text,
      stored: text,
      code: text,
      time: seconds,
    })
    const ring = documentText(keys, 'invalid_keys', 'keys')
    const next = call((module) =>
      module.backup_use(ring, user as string, stored as string, code as string, time as number),
    )
    return next === undefined ? { valid: false } : { valid: true, stored: next }
  },
})

/** The facts that a login is decided on. */
export interface PolicyFacts {
  /** The client's address as text. */
  ip?: string | undefined
  /** The user's roles by your own names, where the policy's `require` names roles. */
  roles?: string[] | undefined
  /** Person or program; a person by default. */
  channel?: wasm.Channel | undefined
  /** The user's enrollment under the policy. */
  enrollment: wasm.Enrollment
  /** The account's plan, where the policy names plans. */
  plan?: string | undefined
  /** Whether a recovery code is alive for the user; false by default. */
  recoveryCode?: boolean | undefined
  /** The time of the decision in unix seconds, because a rule may have an end. Default: now, by this machine's clock. */
  time?: number | undefined
}

/** The people and programs whom a policy is about. */
export interface PolicyPeople {
  /** The user who makes the change. */
  author: string
  /** The address of that user's request. */
  authorIp?: string | undefined
  /** All users of the account, each with its enrollment under the policy. */
  users: (ReviewedUser & { enrollment: wasm.Enrollment })[]
  /** The account's API clients. */
  apiClients: ReviewedApiClient[]
  /** The time of the review in unix seconds, because a rule may have an end. Default: now, by this machine's clock. */
  time?: number | undefined
}

const FACTS = {
  ip: optional(text),
  roles: optional(listOf(text)),
  channel: optional(text),
  enrollment: text,
  plan: optional(text),
  recoveryCode: optional(flag),
  time: optional(whole),
}

/** A policy of `policy.decide`, and the explanations that it has given, by their number. */
interface Asked {
  policy: wasm.CompiledPolicy
  given: wasm.Explanation[]
}

/** These, by their text. No call is under way when one is dropped, and the collector would wait for a turn of the event loop. */
const compiled = compiler(new Map<string, Asked>(), ({ policy }) => call(() => policy.free(), STACK.values))

/** The account's rules. */
export const policy = Object.freeze({
  /**
   * Checks a policy, and gives its JSON text; throws `invalid_policy` with the path of the mistake.
   *
   * @example
   * ```ts
   * import { CountersignError, policy } from 'countersign'
   *
   * export function mistakeIn(text: string): string | undefined {
   *   try {
   *     policy.parse(text)
   *     return undefined
   *   } catch (error) {
   *     if (error instanceof CountersignError) return error.message
   *     throw error
   *   }
   * }
   * ```
   */
  parse: (source: PolicySource): string => {
    const document = documentText(source, 'invalid_policy', '')
    call((module) => module.policy_check(document))
    return document
  },
  /**
   * Decides a login by policy and facts alone, and names the rules met.
   *
   * @example
   * ```ts
   * import { policy, type Policy } from 'countersign'
   *
   * export function admits(rules: Policy, ip: string): boolean {
   *   const { decision } = policy.decide(rules, { ip, channel: 'api', enrollment: 'none' })
   *   return decision.outcome === 'allowed'
   * }
   * ```
   */
  decide: (source: PolicySource, facts: PolicyFacts): wasm.Explanation => {
    const document = documentText(source, 'invalid_policy', '')
    const { ip, roles, channel, enrollment, plan, recoveryCode, time } = read(
      facts,
      '',
      FACTS,
    ) as unknown as PolicyFacts
    const { policy, given } = compiled(document, () => ({
      policy: call((module) => module.CompiledPolicy.parse(document)),
      given: [],
    }))
    const names = roles && JSON.stringify({ roles })
    return call(() => {
      const number = policy.decide(ip, names, channel, enrollment, plan, recoveryCode ?? false, timeOr(time))
      given[number] ??= policy.explanation(number) as wasm.Explanation
      const { decision, rules } = given[number]
      return { decision: { ...decision }, rules: [...rules] }
    }, STACK.values)
  },
  /**
   * Names the users whom a policy would lock out, from facts alone: one policy, or a list of those of all accounts that the
   * users' second factors open. {@link SecondFactor.reviewPolicy} looks the facts up.
   *
   * @example
   * ```ts
   * import { policy, type Policy } from 'countersign'
   *
   * export function needRecoveryCode(rules: Policy): string[] {
   *   const users = [{ user: 'ann', role: 'owner' as const, enrollment: 'usable' as const }]
   *   return policy.review(rules, { author: 'ann', users, apiClients: [] }).needRecoveryCode
   * }
   * ```
   */
  review: (source: PolicyAnswer, people: PolicyPeople): wasm.Review => {
    const { texts, isList } = textsOf(source, '')
    const place = { roles: optional(listOf(text)), ip: optional(text) }
    const { author, authorIp, users, apiClients, time } = read(people, '', {
      author: text,
      authorIp: optional(text),
      users: listOf(shape({ user: text, role: text, enrollment: text, plan: optional(text), ...place })),
      apiClients: listOf(shape({ id: text, ...place })),
      time: optional(whole),
    })
    return call((module) => {
      const by = JSON.stringify({ user: author, ip: authorIp })
      const compilation = new module.PolicyCompilation(isList)
      for (const text of texts) {
        compilation.read(text)
        compilation.check()
      }
      const next = compilation.finish()
      const review = new module.PolicyReview(next, undefined, undefined, by, timeOr(time))
      try {
        review.add_users(next, JSON.stringify({ users }))
        review.add_api_clients(next, JSON.stringify({ apiClients }))
        return review.finish() as wasm.Review
      } finally {
        next.free()
      }
    })
  },
})

const timeOr = (time: unknown) => (time as number | undefined) ?? Math.floor(Date.now() / 1000)

/**
 * A new key ring: one sealing key, one Ed25519 key for passes. Keep it secret and out of the database.
 *
 * @example
 * ```ts
 * import { generateKeys, type Keys } from 'countersign'
 *
 * export const keys: Keys = generateKeys() // once; `JSON.stringify(keys)` is the text to keep
 * ```
 */
export const generateKeys = (): wasm.Keys => call((module) => module.generate_keys(randomSeed()) as wasm.Keys)
