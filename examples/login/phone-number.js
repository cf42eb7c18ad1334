// A phone number as a person types it. People without a country code mean Australian numbers.

import parsePhoneNumber, { validatePhoneNumberLength } from 'libphonenumber-js'

const country = 'AU'

/** Digits of an Australian mobile number behind the country code. The library takes other lengths, for numbers of other kinds. */
const mobileDigits = 9

/** `{ e164, shown }`, or the problem: `too_short`, `too_long` or `no_number`. */
export function readNumber(typed) {
  // The phone library reads digits of any script. Here only 0 to 9 are digits, as in codes.
  if (/(?![0-9])\p{N}/u.test(typed)) return { problem: 'no_number' }
  const number = parsePhoneNumber(typed, country)
  switch (validatePhoneNumberLength(typed, country)) {
    case undefined:
      break
    case 'TOO_SHORT':
      return { problem: /\d.*\d.*\d/.test(typed) ? 'too_short' : 'no_number' }
    case 'TOO_LONG':
      return { problem: 'too_long' }
    default:
      return { problem: 'no_number' }
  }
  if (!number?.isPossible()) return { problem: 'no_number' }
  if (number.countryCallingCode === '61' && number.nationalNumber.startsWith('4')) {
    if (number.nationalNumber.length < mobileDigits) return { problem: 'too_short' }
    if (number.nationalNumber.length > mobileDigits) return { problem: 'too_long' }
  }
  return { e164: number.number, shown: number.formatInternational() }
}
