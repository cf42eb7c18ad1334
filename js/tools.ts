// The parts on their own, for those who want only one of them. All synchronous.
import { invalid } from './error.js'
import { documentText, flag, listOf, optional, read, shape, text, whole } from './input.js'
import type * as wasm from './wasm.js'
import { call, randomSeed } from './wasm.js'

interface TotpSettings {
  /** Base32; at least 128 bits. */
  secret: string
  /** Default `SHA1`. */
  algorithm?: wasm.TotpAlgorithm
  /** 6 to 8; default 6. */
  digits?: number
  /** 15 to 300; default 30. */
  periodSeconds?: number
}

const settings = { secret: text, algorithm: optional(text), digits: optional(whole), periodSeconds: optional(whole) }

/** TOTP (RFC 6238). Keeping the used step and counting attempts is the caller's part here; {@link createSecondFactor} does both. */
export const totp = Object.freeze({
  /** A new secret: 160 random bits in base32. */
  secret: (): string => call((module) => module.totp_secret(randomSeed())),
  /** The code at a time in unix seconds. For tests and authenticators. */
  generate: (input: TotpSettings & { time: number }): string => {
    const { time, ...question } = read(input, '', { ...settings, time: whole })
    return call((module) => module.totp_generate(JSON.stringify(question), time as number))
  },
  /**
   * Whether a code is right at a time. `window`: steps to either side, default 1. `after`: the
   * last step used; keep the `step` of every success and hand it in, or codes can be replayed.
   */
  verify: (
    input: TotpSettings & { code: string; time: number; window?: number; after?: number },
  ): { valid: true; step: number } | { valid: false } => {
    const { time, ...question } = read(input, '', {
      ...settings,
      code: text,
      time: whole,
      window: optional(whole),
      after: optional(whole),
    })
    const step = call((module) => module.totp_verify(JSON.stringify(question), time as number))
    return step === undefined ? { valid: false } : { valid: true, step }
  },
})

/** What an `otpauth://totp/` URI says. */
export interface OtpAuth {
  /** The service's name. */
  issuer: string
  /** Whose codes they are. */
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
  /** Writes a URI. */
  format: (input: Pick<OtpAuth, 'issuer' | 'label' | 'secret'> & Partial<OtpAuth>): string => {
    const document = read(input, '', { issuer: text, label: text, ...settings })
    return call((module) => module.otpauth_format(JSON.stringify(document)))
  },
  /** Reads a URI strictly. */
  parse: (uri: string): OtpAuth => {
    const checked = text(uri, 'uri') as string
    return call((module) => module.otpauth_parse(checked) as OtpAuth)
  },
})

/** QR codes. */
export const qr = Object.freeze({
  /** Text as SVG: one path, nothing external. At most 2,331 bytes. */
  svg: (content: string): string => {
    const checked = text(content, 'text') as string
    return call((module) => module.qr(checked))
  },
})

const sheet = { name: text, user: text, codes: listOf(text) }

/** Backup codes: rendered for people, and on their own for those who keep everything else themselves. */
export const backupCodes = Object.freeze({
  /** A text to download, one code a line. */
  toText: (input: { name: string; user: string; codes: string[] }): string => {
    const document = JSON.stringify(read(input, '', sheet))
    return call((module) => module.backup_text(document))
  },
  /** A whole page to print, without scripts. */
  toHtml: (input: { name: string; user: string; codes: string[] }): string => {
    const document = JSON.stringify(read(input, '', sheet))
    return call((module) => module.backup_html(document))
  },
  /** New codes (1 to 20, default 10): show `codes` once, store `stored`. About 25 ms a code. */
  generate: (input: {
    keys: wasm.Keys | string
    user: string
    count?: number
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
  /** Whether a code is right and unused. Then store `stored` by compare-and-set before letting anyone in. Count attempts yourself. */
  verify: (input: {
    keys: wasm.Keys | string
    user: string
    stored: string
    code: string
    time: number
  }): { valid: true; stored: string } | { valid: false } => {
    const { keys, user, stored, code, time } = read(input, '', {
      keys: (value) => value,
      user: text,
      stored: text,
      code: text,
      time: whole,
    })
    const ring = documentText(keys, 'invalid_keys', 'keys')
    const next = call((module) =>
      module.backup_use(ring, user as string, stored as string, code as string, time as number),
    )
    return next === undefined ? { valid: false } : { valid: true, stored: next }
  },
})

/** The account's rules. */
export const policy = Object.freeze({
  /** Checks a policy; throws `invalid_policy` with the path of what is wrong. Returns its JSON text. */
  parse: (source: wasm.PolicyDocument | string): string => {
    const document = documentText(source, 'invalid_policy', '')
    call((module) => module.policy_check(document))
    return document
  },
  /** Decides a login by policy and facts alone, and names the rules met. */
  decide: (
    source: wasm.PolicyDocument | string,
    facts: { ip?: string | undefined; channel?: wasm.Channel; enrollment: wasm.Enrollment; recoveryCode?: boolean },
  ): wasm.Explanation => {
    const document = documentText(source, 'invalid_policy', '')
    const given = read(facts, '', {
      ip: optional(text),
      channel: optional(text),
      enrollment: text,
      recoveryCode: optional(flag),
    })
    const question = JSON.stringify({ channel: 'web', recoveryCode: false, ...given })
    return call((module) => module.policy_decide(document, question) as wasm.Explanation)
  },
  /** Whom a policy would lock out, from facts alone. {@link SecondFactor.reviewPolicy} looks the facts up. */
  review: (
    source: wasm.PolicyDocument | string,
    people: {
      author: string
      authorIp?: string | undefined
      users: { user: string; role: wasm.Role; enrollment: wasm.Enrollment; ip?: string | undefined }[]
      apiClients: { id: string; ip?: string | undefined }[]
    },
  ): wasm.Review => {
    const document = documentText(source, 'invalid_policy', '')
    const place = { ip: optional(text) }
    const given = read(people, '', {
      author: text,
      authorIp: optional(text),
      users: listOf(shape({ user: text, role: text, enrollment: text, ...place })),
      apiClients: listOf(shape({ id: text, ...place })),
    })
    return call((module) => module.policy_review(document, JSON.stringify(given)) as wasm.Review)
  },
})

/** A new key ring: one sealing key, one Ed25519 key for passes. Keep it secret and out of the database. */
export const generateKeys = (): wasm.Keys => call((module) => module.generate_keys(randomSeed()) as wasm.Keys)
