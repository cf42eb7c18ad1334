// Lists of networks as people type and paste them. One rule a line: `203.0.113.0/24 until 2026-12-31 # office in Perth`.
// A line may hold a range (`203.0.113.10 - 203.0.113.20`), which becomes the networks that cover it, or several networks.
// The policy itself checks what a network is, and names the rule that is none.

import { BadInput } from './bad-input.js'

const DAY = 86_400

/**
 * The rules of the list `name` in an input: a list from JSON; or, from a form, the rows that it shows
 * (`allow.network`, `allow.note`, `allow.until`), but for the one to `drop`, and then the lines that were added.
 */
export function rulesOf(input, name) {
  const given = input[name]
  if (Array.isArray(given)) return given
  const budget = { left: mostOfRanges }
  return [...rowsOf(input, name, budget), ...textsOf(input, name).flatMap((lines) => rulesOfLines(lines, budget))]
}

/** The texts of a field, which a form may send several times. From JSON anything may come: a rule must not be passed over unseen. */
function textsOf(input, name) {
  const values = [input[name] ?? []].flat()
  if (values.some((value) => typeof value !== 'string')) throw new BadInput(name, 'is no text')
  return values
}

function rowsOf(input, name, budget) {
  const [networks, notes, ends] = ['network', 'note', 'until'].map((field) => textsOf(input, `${name}.${field}`))
  return networks.flatMap((network, index) =>
    network.trim() === '' || input.drop === `${name}.${index}`
      ? []
      : rules(network, { note: notes[index]?.trim() || undefined, until: secondsOf(ends[index] ?? '') }, budget),
  )
}

const noteWithEnd = /^(.*?)(?:\buntil\s+(\d{4}-\d\d-\d\d)\s*)?$/

/** Stands for the end of a rule without one, where the words of its note would be read as an end. */
const never = 'never'

/** The rules of pasted lines. Text after `#` is a note; a line with nothing else is passed over. */
export function rulesOfLines(text, budget = { left: mostOfRanges }) {
  return text.split(/[\r\n\u2028\u2029]+/).flatMap((line) => {
    const [, before, text = ''] = /^([^#]*)(?:#(.*))?$/.exec(line)
    const [, networks, end] = /^(.*?)(?:\buntil\s+(\S+)\s*)?$/.exec(before.trim())
    // Someone who writes the last day at the end of the note means it too.
    const [, note, endInNote] = noteWithEnd.exec(text.trim())
    const last = end === never ? undefined : (end ?? endInNote)
    return rules(networks, { note: (end ? text : note).trim() || undefined, until: last && secondsOf(last) }, budget)
  })
}

/** One rule for each network in a text; a range is several. */
function rules(text, { note, until }, budget) {
  return text
    .split(/[-–]/)
    .map((part) => part.trim())
    .join('-')
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .flatMap((part) => networksOf(part, budget))
    .map((network) =>
      note === undefined && until === undefined
        ? network
        : { network, ...(note !== undefined && { note }), ...(until !== undefined && { until }) },
    )
}

/** The networks that the ranges of one list may become: one range of IPv6 becomes some 250. */
const mostOfRanges = 2000

/** The networks that cover a range of addresses exactly, or the text itself: no network, as the policy then says. */
function networksOf(text, budget) {
  if (!text.includes('-') || budget.left <= 0) return [text]
  const [first, last, ...more] = text.split('-', 3).map(numberOf)
  if (first === undefined || last === undefined || more.length > 0) return [text]
  if (first.bits !== last.bits || first.number > last.number) return [text]
  const networks = []
  for (let { number } = first; number <= last.number; ) {
    // The largest block that begins here and ends within the range.
    let size = 0
    while (
      size < first.bits &&
      number % (1n << BigInt(size + 1)) === 0n &&
      number + (1n << BigInt(size + 1)) - 1n <= last.number
    )
      size += 1
    networks.push(`${addressOf(number, first.bits)}/${first.bits - size}`)
    number += 1n << BigInt(size)
  }
  budget.left -= networks.length
  return networks
}

/** The number of an address, and its bits. */
function numberOf(text) {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) {
    const octets = text.split('.').map(Number)
    if (octets.some((octet, index) => octet > 255 || String(octet) !== text.split('.')[index])) return undefined
    return { bits: 32, number: octets.reduce((number, octet) => number * 256n + BigInt(octet), 0n) }
  }
  if (!/^[0-9a-f:]+$/i.test(text) || !text.includes(':')) return undefined
  const [head, tail, ...more] = text.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (more.length > 0 || (tail === undefined ? missing !== 0 : missing < 1)) return undefined
  const groups = [...head, ...Array(tail === undefined ? 0 : missing).fill('0'), ...(tail ?? [])]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return { bits: 128, number: BigInt(`0x${groups.map((group) => group.padStart(4, '0')).join('')}`) }
}

function addressOf(number, bits) {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.')
  const hex = number.toString(16).padStart(32, '0')
  return new URL(`http://[${hex.match(/.{4}/g).join(':')}]`).hostname.slice(1, -1)
}

/** A day, which is in the life of the rule, or a time: `2026-12-31`, `2026-12-31T12:00:00Z`. Anything else stays as it is. */
function secondsOf(text) {
  if (text.trim() === '') return undefined
  const time = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z)?$/.test(text.trim()) ? Date.parse(text.trim()) : NaN
  if (Number.isNaN(time)) return text
  return Math.floor(time / 1000) + (text.includes('T') ? 0 : DAY)
}

/** The end of a rule as people type it: its last day where it ends at midnight, else the time. */
export function dayOf(until) {
  if (!Number.isSafeInteger(until) || until > 253_402_300_799) return String(until ?? '')
  const whole = until % DAY === 0 && until > 0
  const iso = new Date((whole ? until - DAY : until) * 1000).toISOString()
  return whole ? iso.slice(0, 10) : `${iso.slice(0, 19)}Z`
}

/** A rule with all its fields. */
export function entryOf(rule) {
  return typeof rule === 'object' && rule !== null ? rule : { network: String(rule) }
}

/** A rule as a line. */
export function lineOf(rule) {
  const { network, note, until } = entryOf(rule)
  const isRead = note !== undefined && noteWithEnd.exec(note)?.[2] !== undefined
  const end = until === undefined ? isRead && never : dayOf(until)
  return `${network}${end ? ` until ${end}` : ''}${note ? ` # ${note}` : ''}`
}
