// The tests of a host: the suite, and a component of a page, in Jest and Vitest with their environments.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../../scripts/common.mjs'
import { folderOf, note, versionOf } from './support.mjs'

/** The files of tests of all environments; the kit of a store runs in Node alone. */
const FILES = ['login', 'page']

const jest = await folderOf('jest')
for (const environment of ['node', 'jsdom']) {
  test(`K4: Jest, ${environment}`, async () => {
    const report = join(jest, `out-${environment}.json`)
    const args = ['node_modules/jest/bin/jest.js', ...FILES, '--env', environment, '--json', '--outputFile', report]
    await run(process.execPath, args, { cwd: jest, silent: true })
    noteReport(report, { in: `Jest, ${environment}`, version: versionOf(jest, 'jest') })
  })
}

const vitest = await folderOf('vitest')
for (const environment of ['node', 'jsdom', 'happy-dom']) {
  test(`K4: Vitest, ${environment}`, async () => {
    const report = join(vitest, `out-${environment}.json`)
    const args = ['node_modules/vitest/vitest.mjs', 'run', ...FILES, '--environment', environment]
    await run(process.execPath, [...args, '--reporter=json', `--outputFile=${report}`], { cwd: vitest, silent: true })
    noteReport(report, { in: `Vitest, ${environment}`, version: versionOf(vitest, 'vitest') })
  })
}

test('the kit of a store in Jest and in Vitest', async () => {
  for (const [folder, args] of /** @type {const} */ ([
    [jest, ['node_modules/jest/bin/jest.js', 'store', '--json', '--outputFile']],
    [vitest, ['node_modules/vitest/vitest.mjs', 'run', 'store', '--reporter=json', '--outputFile']],
  ])) {
    const report = join(folder, 'out-store.json')
    await run(process.execPath, [...args, report], { cwd: folder, silent: true })
    const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(report, 'utf8'))
    assert.deepEqual([numPassedTests, numTotalTests], [27, 27])
  }
})

function noteReport(report, row) {
  const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(report, 'utf8'))
  assert.deepEqual([numPassedTests, numTotalTests], [2, 2])
  note({ ...row, how: 'the suite, and a component of a page' })
}
