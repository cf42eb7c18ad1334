/**
 * The texts of notices: subject, plain text and HTML of a mail, in English and German, for the user and for the owners.
 *
 * @packageDocumentation
 */
import type { Accepts } from './commands.js'
import { guarded, invalid } from './error.js'
import { anything, type Check, idText, optional, read, seconds, text, whole } from './input.js'
import { htmlOf, type MailContent } from './notice-html.js'
import { de } from './notice-texts/de.js'
import { en } from './notice-texts/en.js'
import { MAILS, type MailId, type MailParts, type NoticeLanguage, type NoticeTextId } from './notice-texts/mails.js'
import type { Notice } from './wasm.js'

export type { Accepts } from './commands.js'
export { CountersignError, type ErrorCode, type RuleErrorCode } from './error.js'
export type { NoticeTextId } from './notice-texts/mails.js'
export type { AccountId, Method, Notice, NoticeKind, Recipient, UnixSeconds, UserId } from './wasm.js'

/** A language of the texts. */
export type NoticeLanguageName = 'en' | 'de'

const LANGUAGES: Readonly<Record<NoticeLanguageName, NoticeLanguage>> = { en, de }

/** The part of a mail that no notice has. */
export interface NoticeTextOptions {
  /** The language of the texts. */
  language: NoticeLanguageName
  /** The name of your service, as people know it. */
  service: string
  /**
   * The name of the user whom the notice is about, as the reader knows it. Default: the user's id, which also stands for a name
   * that shows nothing. A long one is cut.
   */
  userName?: string | undefined
  /** The name of the owner who issued a recovery code; the same holds. Default: the owner's id. */
  ownerName?: string | undefined
  /** The time zone of the reader, such as `Europe/Berlin`. Default: `UTC`. The mail names the zone. */
  timeZone?: string | undefined
  /** The page for the reader: the security settings of the user, or the owners' page of users. `https:`, or `http:` for tests. */
  url?: string | undefined
  /** Texts in place of ours, by their ids. */
  texts?: { [Id in NoticeTextId]?: string | undefined } | undefined
}

/** A mail. */
export interface NoticeText {
  /** One line. */
  subject: string
  /** The whole message as plain text. */
  text: string
  /** The same as an HTML document that loads nothing. */
  html: string
}

/**
 * The mail for a notice. It has no clock and no network: equal arguments give equal texts.
 *
 * Texts of yours are plain text in every case, and may have placeholders in braces; `docs/notices.md` lists ids and
 * placeholders. Names may be chosen by people, so line breaks and marks of direction are taken out of them, and HTML shows
 * them as they are.
 *
 * @throws `CountersignError` with code `invalid_input` for an unknown id, placeholder, language or time zone, and for a
 * notice of a kind that this version does not know; `path` names it.
 *
 * @example
 * ```ts
 * import type { Notice } from 'countersign'
 * import { noticeText } from 'countersign/notices'
 *
 * export async function notify(notice: Notice): Promise<void> {
 *   const url = notice.to === 'user' ? 'https://acme.example/security' : 'https://acme.example/users'
 *   const { subject, text, html } = noticeText(notice, { language: 'de', service: 'Acme', timeZone: 'Europe/Berlin', url })
 *   console.log('hand to your mail server', notice.to, notice.user, { subject, text, html })
 * }
 * ```
 */
export function noticeText(notice: Accepts<Notice>, options: NoticeTextOptions): NoticeText {
  const asked = read(options, '', OPTIONS) as unknown as NoticeTextOptions
  const told = readNotice(notice)
  const { locale, texts: ours } = LANGUAGES[asked.language]
  const texts = { ...ours, ...(asked.texts as Partial<Texts> | undefined) } // those that are `undefined` were left out
  const { mail, parts } = partsOf(told)

  // Values are shown in one place of a text each, and never read as a text themselves.
  const service = shown(asked.service, 'service')
  const user = displayName(asked.userName) ?? shown(told.user, 'notice.user')
  const common = { service, user }
  const time = timeText(told.at, locale, asked.timeZone ?? 'UTC', texts.time)
  const values: Record<string, string | undefined> = {
    ...common,
    time,
    method: methodName(told, texts),
    name: told.name && shown(told.name, 'notice.name'),
    by: issuerOf(told, asked) ?? filled(texts.operator, common),
    codes: told.backupCodesLeft?.toString(),
    address: told.ip && shown(told.ip, 'notice.ip'),
  }

  const title = filled(texts[`${mail}.title`], values)
  const { situation } = parts
  const content: MailContent = {
    subject: filled(texts.subject, { service, title }),
    service,
    title,
    happened: filled(texts[`${mail}.happened`], values),
    facts: [...parts.facts, 'time' as const, 'address' as const].flatMap((fact) => {
      const value = values[fact]
      return value === undefined ? [] : [[texts[`fact.${fact}`], value] as [string, string]]
    }),
    fine: filled(urgentText(told, parts, texts) ?? texts[`situation.${situation}.fine`], common),
    heading: filled(texts[`situation.${situation}.heading`], common),
    steps: parts.steps.map((step) => filled(texts[`step.${step}`], common)),
    link: asked.url === undefined ? undefined : { label: filled(texts[`link.${told.to}`], common), url: asked.url },
    footer: filled(texts.footer, common),
  }
  return { subject: content.subject, text: plainText(content), html: htmlOf(content, locale) }
}

type Texts = Readonly<Record<NoticeTextId, string>>

/** The parts of the mail for these people. A kind that only a newer version knows has none. */
function partsOf({ kind, to }: Notice): { mail: MailId; parts: MailParts } {
  const mail = `${kind}.${to}`
  if (isOwn(mail, MAILS)) return { mail, parts: MAILS[mail] }
  if (!isOwn(`${kind}.user`, MAILS))
    throw invalid('notice.kind', 'is not known: update this package together with what made the notice')
  throw invalid('notice.to', 'must be `user`: owners get no notice of this kind')
}

/** Where few backup codes are left, the text that asks for new ones: then there is something to do in any case. */
function urgentText({ backupCodesLeft: left }: Notice, parts: MailParts, texts: Texts): string | undefined {
  if (!parts.urgesNewCodes || left === undefined || left > FEW_CODES) return undefined
  return texts[left === 0 ? 'codes.none' : 'codes.few']
}

const FEW_CODES = 3

/** The name of a factor of the user's own. A code is none, and neither is a method that only a newer version knows. */
const methodName = ({ method }: Notice, texts: Readonly<Record<string, string>>): string | undefined =>
  texts[`method.${method}`]

/** The name of the owner behind the notice. */
function issuerOf({ by }: Notice, { ownerName }: NoticeTextOptions): string | undefined {
  return by === undefined ? undefined : (displayName(ownerName) ?? shown(by, 'notice.by'))
}

/**
 * The name that a person has chosen, cut where it is long. One that shows nothing is none: nobody keeps a mail back by a
 * name.
 */
function displayName(name: string | undefined): string | undefined {
  const seen = [...onOneLine((name ?? '').replace(/\p{Cs}/gu, '\ufffd'))]
  const most = 100
  return seen.length > most ? `${seen.slice(0, most).join('')}…` : seen.join('') || undefined
}

/** A time with its zone. */
function timeText(at: number, locale: string, timeZone: string, form: string): string {
  const date = new Date(at * 1000)
  const day = new Intl.DateTimeFormat(locale, { timeZone, day: 'numeric', month: 'long', year: 'numeric' })
  const clock = new Intl.DateTimeFormat(locale, { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const zone = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'short' })
    .formatToParts(date)
    .find(({ type }) => type === 'timeZoneName')?.value
  return filled(form, { date: day.format(date), clock: clock.format(date), zone: zone ?? timeZone })
}

function plainText(mail: MailContent): string {
  const { title, happened, facts, fine, heading, steps, link, footer } = mail
  const blocks = [
    title,
    happened,
    facts.map(([label, value]) => `${label}: ${value}`).join('\n'),
    fine,
    [heading, ...steps.map((step, index) => `${index + 1}. ${step}`)].join('\n'),
    link && `${link.label}:\n${link.url}`,
    footer,
  ]
  return `${blocks.filter((block) => block !== undefined).join('\n\n')}\n`
}

// Placeholders

type Values = Record<string, string | undefined>

/** A text with its placeholders replaced, in one pass: a value that looks like a placeholder is none. */
const filled = (form: string, values: Values): string =>
  form.replace(PLACEHOLDER, (_, name: string) => values[name] ?? '–')

const PLACEHOLDER = /\{([^{}]*)\}/g

/** The placeholders that a text may have. */
function placeholdersOf(id: NoticeTextId): readonly string[] {
  if (id === 'subject') return ['service', 'title']
  if (id === 'time') return ['date', 'clock', 'zone']
  if (/^(?:fact|method)\./.test(id)) return []
  const common = ['service', 'user']
  const [, mail] = /^(.+)\.(?:title|happened)$/.exec(id) ?? []
  return mail === undefined || !isOwn(mail, MAILS) ? common : [...new Set([...common, 'time', ...MAILS[mail].facts])]
}

// Values

/** Invisible characters and marks of direction, by which a text reads otherwise than it is. Joiners stay, for names and emoji. */
const UNSEEN = /[\p{Bidi_Control}\u{ad}\u{180e}\u{200b}\u{2060}-\u{2064}\u{feff}]/gu
const BREAKS = /[\s\p{Cc}\u{2028}\u{2029}]+/gu

const onOneLine = (value: string) => value.replace(UNSEEN, '').replace(BREAKS, ' ').trim()

/** A value as people see it, on one line. */
function shown(value: string, path: string): string {
  const seen = onOneLine(value)
  if (seen === '') throw invalid(path, 'must have a visible character')
  return seen
}

const isOwn = <Key extends string>(name: string, object: Readonly<Record<Key, unknown>>): name is Key =>
  Object.hasOwn(object, name)

const oneOf =
  (names: readonly string[]): Check =>
  (value, path) => {
    if (typeof value !== 'string' || !names.includes(value))
      throw invalid(path, `must be one of \`${names.join('`, `')}\``)
    return value
  }

const shortText =
  (most: number): Check =>
  (value, path) => {
    if ((text(value, path) as string).length > most) throw invalid(path, `must have at most ${most} characters`)
    return value
  }

/** A text that people choose, which is never refused. */
const chosenText: Check = (value, path) => {
  if (typeof value !== 'string') throw invalid(path, 'must be a string')
  return value
}

const zoneName: Check = (value, path) =>
  guarded('invalid_input', path, 'is not known: give a name such as `Europe/Berlin`', () => {
    new Intl.DateTimeFormat('en', { timeZone: text(value, path) as string })
    return value
  })

const webAddress: Check = (value, path) => {
  const problem = 'must be an address that begins with https:// or http://'
  const url = guarded('invalid_input', path, problem, () => new URL(shortText(2_048)(value, path) as string))
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw invalid(path, problem)
  return url.href
}

/** A text of the host's. */
const ownText =
  (id: NoticeTextId): Check =>
  (value, path) => {
    const given = shortText(2_000)(value, path) as string
    if (given.trim() === '') throw invalid(path, 'must not be empty')
    const mayBreak = /\.happened$/.test(id) || id === 'footer'
    if (/[\p{Cc}\u{2028}\u{2029}]/u.test(mayBreak ? given.replaceAll('\n', '') : given))
      throw invalid(path, mayBreak ? 'must have no control characters but line breaks' : 'must be one line')
    const known = placeholdersOf(id)
    for (const [, name] of given.matchAll(PLACEHOLDER)) {
      if (!known.includes(name!)) {
        const list = known.length === 0 ? 'none' : `\`{${known.join('}`, `{')}}\``
        throw invalid(path, `has the unknown placeholder \`{${name!.slice(0, 64)}}\`; known here: ${list}`)
      }
    }
    return given
  }

const OWN_TEXTS: Record<string, Check> = Object.fromEntries(
  (Object.keys(en.texts) as NoticeTextId[]).map((id) => [id, optional(ownText(id))]),
)

const OPTIONS: Record<string, Check> = {
  language: oneOf(Object.keys(LANGUAGES)),
  service: shortText(100),
  userName: optional(chosenText),
  ownerName: optional(chosenText),
  timeZone: optional(zoneName),
  url: optional(webAddress),
  texts: optional((value, path) => read(value, path, OWN_TEXTS, [])),
}

const NOTICE: Record<string, Check> = {
  account: optional(idText),
  to: oneOf(['user', 'owners']),
  user: idText,
  kind: text,
  method: optional(text),
  name: optional(shortText(160)),
  at: seconds,
  by: optional(idText),
  ip: optional(shortText(64)),
  backupCodesLeft: optional(whole),
}

/** The fields of a notice. Others, which a newer version may add, are passed over. */
function readNotice(notice: unknown): Notice {
  const names = guarded('invalid_input', 'notice', 'could not be read', () =>
    typeof notice === 'object' && notice !== null ? Object.keys(notice) : [],
  )
  const others = Object.fromEntries(names.map((name) => [name, anything]))
  return read(notice, 'notice', { ...others, ...NOTICE }) as unknown as Notice
}
