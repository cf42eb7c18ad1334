// The tests of a host: the suite, and a component of a page, in Jest and Vitest with their environments.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../../scripts/common.mjs'
import { folderOf, note, versionOf } from './support.mjs'

const jest = await folderOf('jest')
for (const environment of ['node', 'jsdom']) {
  test(`K4: Jest, ${environment}`, async () => {
    const report = join(jest, `out-${environment}.json`)
    const args = ['node_modules/jest/bin/jest.js', '--env', environment, '--json', '--outputFile', report]
    await run(process.execPath, args, { cwd: jest, silent: true })
    noteReport(report, { in: `Jest, ${environment}`, version: versionOf(jest, 'jest') })
  })
}

const vitest = await folderOf('vitest')
for (const environment of ['node', 'jsdom', 'happy-dom']) {
  test(`K4: Vitest, ${environment}`, async () => {
    const report = join(vitest, `out-${environment}.json`)
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--environment', environment]
    await run(process.execPath, [...args, '--reporter=json', `--outputFile=${report}`], { cwd: vitest, silent: true })
    noteReport(report, { in: `Vitest, ${environment}`, version: versionOf(vitest, 'vitest') })
  })
}

function noteReport(report, row) {
  const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(report, 'utf8'))
  assert.deepEqual([numPassedTests, numTotalTests], [2, 2])
  note({ ...row, how: 'the suite, and a component of a page' })
}
