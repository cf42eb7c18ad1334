// The tests of the store in SQLite, with the databases that other runtimes have built in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, run } from '../../scripts/common.mjs'
import { binary, folderOf } from './support.mjs'

const FILE = './sqlite.test.mjs'
/** At least: the contract and the checks of the driver. */
const TESTS = 20

const folder = await folderOf('engines')

/** Runs the tests with one driver, and reads how many have passed. */
async function passes(program, args, driver, count) {
  // Without the mark of a test, in which Node would run no file.
  const env = { COUNTERSIGN_SQLITE: driver, NODE_TEST_CONTEXT: undefined }
  const printed = await run(program, args, { cwd: at('tests/stores'), env, silent: true })
  const passed = Number(count.exec(printed)?.[1])
  assert.ok(passed >= TESTS, printed)
}

for (const major of [22, 24, 26])
  test(`D1 D2: the store in node:sqlite of Node ${major}`, () =>
    passes(
      binary(folder, '', `node-${major}-`, 'bin/node'),
      ['--test', '--test-reporter=tap', FILE],
      'node:sqlite',
      /^# pass (\d+)$/m,
    ))

test('D1 D2: the store in bun:sqlite', () =>
  passes(binary(folder, '@oven', 'bun-', 'bin/bun'), ['test', FILE], 'bun:sqlite', /^ *(\d+) pass$/m))
