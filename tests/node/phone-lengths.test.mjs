// The table of phone numbers is the one that the installed libphonenumber-js gives.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkedIn, TABLE, table } from '../../scripts/phone-lengths.mjs'

test('the lengths of phone numbers are up to date with libphonenumber', () => {
  assert.ok(checkedIn() === table(), `${TABLE} is out of date: run \`node scripts/phone-lengths.mjs\``)
})
