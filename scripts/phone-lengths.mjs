// Writes src/phone_lengths.rs, the lengths of mobile numbers by country calling code, from the data of libphonenumber.
// Run it after an update of libphonenumber-js; tests/node/phone-lengths.test.mjs fails until then.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { at, main } from './common.mjs'

export const TABLE = 'src/phone_lengths.rs'

const require = createRequire(import.meta.url)

/** The calling codes with their regions, in the order of the codes. */
function callingCodes(data) {
  const global = Object.keys(data.nonGeographic).map((code) => [code, [code]])
  return [...Object.entries(data.country_calling_codes), ...global].sort(([a], [b]) => Number(a) - Number(b))
}

/**
 * The rows of the table. A calling code has the lengths of the mobile numbers of all its regions; one without mobile
 * numbers, such as +800, is left out.
 */
function rows() {
  /** Its types leave out the kinds of numbers. @type {any} */
  const { Metadata } = require('libphonenumber-js/core')
  const data = require('libphonenumber-js/metadata.full.json')
  const metadata = new Metadata(data)
  return callingCodes(data).flatMap(([code, regions]) => {
    const mobile = regions.flatMap((region) => {
      metadata.selectNumberingPlan(region)
      const type = metadata.type('MOBILE')
      return type ? [{ region, lengths: type.possibleLengths() ?? metadata.possibleLengths() }] : []
    })
    const lengths = [...new Set(mobile.flatMap((each) => each.lengths))].sort((a, b) => a - b)
    return lengths.length === 0 ? [] : [{ code, lengths, regions: mobile.map(({ region }) => region) }]
  })
}

/** The text of the table as a source file. */
export function table() {
  const lines = rows().map(({ code, lengths, regions }) => {
    const mask = lengths.map((length) => `1 << ${length}`).join(' | ')
    return `    /* ${regions.join(' ')} */ (${code}, ${mask}),`
  })
  return [
    '//! Lengths of mobile numbers by country calling code. Written by `scripts/phone-lengths.mjs`; do not edit.',
    '//!',
    '//! The data is that of libphonenumber (Apache-2.0), by way of the npm package libphonenumber-js (MIT).',
    '',
    '/// Calling code, and its lengths without the calling code: bit n stands for n digits. No code begins another.',
    'pub(crate) const MOBILE_LENGTHS: &[(u16, u16)] = &[',
    ...lines,
    '];',
    '',
  ].join('\n')
}

/** The table as it is checked in. */
export const checkedIn = () => readFileSync(at(TABLE), 'utf8')

await main(import.meta.url, async () => writeFileSync(at(TABLE), table()))
