// The suite.
import { expect, test } from 'vitest'
import { conformance } from './suite.mjs'

test('the suite passes', async () => {
  const { passed, failed } = await conformance('short')
  expect(failed).toEqual([])
  expect(passed).toBeGreaterThanOrEqual(10)
}, 120_000)
