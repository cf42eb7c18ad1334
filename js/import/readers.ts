// The readers, by format. Each gives the entries of a text; those that need a library load it when they are asked for.
import type { BetterAuthSettings } from './better-auth.js'
import { countersignLines } from './countersign.js'
import type { Read } from './entry.js'
import { freeOtp } from './freeotp.js'
import { googleLines } from './google.js'
import { keycloakCsv, keycloakJson } from './keycloak.js'
import { kratosJson } from './kratos.js'
import { peeked, type Source } from './lines.js'
import { type UriSettings, uriLines } from './otpauth.js'
import type { PskcSettings } from './pskc.js'
import { csvTable, jsonTable, type TableSettings } from './table.js'

export { type BetterAuthSecrets, secretsOf } from './better-auth-secrets.js'
export { ENCODINGS, type Encoding, fromHex } from './encodings.js'
export { type Entry, REASONS, type Read, type Readable, type Reason, type Refused } from './entry.js'
export { COLUMNS, type Column } from './table.js'
export { assigner, userMap } from './users.js'

/** The settings of all readers. */
export interface Settings
  extends Omit<TableSettings, 'columns'>,
    UriSettings,
    Omit<BetterAuthSettings, 'columns'>,
    Omit<PskcSettings, 'columns'> {
  columns: TableSettings['columns']
}

/** Gives each entry of a text once. It never throws, unless the text cannot be had. */
export type Reader = (source: Source, settings: Settings) => Iterable<Read>

/** The formats, each with the function that loads its reader. */
export const FORMATS = {
  csv: async () => csvTable,
  json: async () => jsonTable,
  otpauth: async () => uriLines,
  'google-authenticator': async () => googleLines,
  'better-auth': async () => {
    const { betterAuthCsv, betterAuthJson } = await import('./better-auth.js')
    return eitherOf(betterAuthJson, betterAuthCsv)
  },
  keycloak: async () => eitherOf(keycloakJson, keycloakCsv),
  kratos: async () => kratosJson,
  authelia: async () => {
    const { autheliaCsv, autheliaYaml } = await import('./authelia.js')
    return (source, settings) => {
      const { start, source: again } = peeked(source)
      if (/^otpauth:/i.test(start)) return uriLines(again, settings)
      return (/^issuer,/.test(start) ? autheliaCsv : autheliaYaml)(again)
    }
  },
  pskc: async () => (await import('./pskc.js')).pskc,
  freeotp: async () => freeOtp,
  countersign: async () => countersignLines,
} satisfies Record<string, () => Promise<Reader>>

export type Format = keyof typeof FORMATS

/** Reads rows of a database's table. */
export const rowReader = async (settings: Settings) => (await import('./better-auth.js')).betterAuthReader(settings)

/** A document of JSON starts with a bracket, and the header of CSV does not. */
function eitherOf(json: Reader, csv: Reader): Reader {
  return (source, settings) => {
    const { start, source: again } = peeked(source)
    return (/^[[{]/.test(start) ? json : csv)(again, settings)
  }
}
