// The scenarios of tests/scenarios, through the npm package. The Rust core runs the same files.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { play, scenarios } from '../shared/scenarios.mjs'

test('the scenarios are there', () => assert.ok(scenarios.length >= 12, `only ${scenarios.length}`))

for (const scenario of scenarios) test(`scenario ${scenario.file}`, () => play(scenario))
