// The scenarios of tests/scenarios, through the npm package. The Rust core plays the same files.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { play, scenarios } from '../shared/scenarios.mjs'
import { longForm } from '../shared/stories.mjs'

const mistakes = JSON.parse(readFileSync(new URL('../vectors/stories-invalid.json', import.meta.url), 'utf8'))

test('the scenarios are there', () => assert.ok(scenarios.length >= 17, `only ${scenarios.length}`))

for (const scenario of scenarios) test(`scenario ${scenario.file}: ${scenario.title}`, () => play(scenario))

for (const { why, step } of mistakes) {
  test(`a story with ${why} fails`, async () => {
    const begin = { why: 'policies are read here', do: 'begin', expect: 'allowed' }
    const run = async () => play(longForm('story.json', { title: '-', about: '-', steps: [step, begin] }))
    await assert.rejects(run, (/** @type {any} */ error) => error.message.startsWith('story.json, step '))
  })
}
