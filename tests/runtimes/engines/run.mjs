// The suite as a module, all of it, and once more by `require`, which must give the same instance.
import { createRequire } from 'node:module'
import * as imported from 'countersign'
import { conformance } from './suite.mjs'

const require = createRequire(import.meta.url)
const required = require('countersign')
const { passed, failed } = await conformance('all')
const short = await require('./suite.cjs').conformance('short')
failed.push(...short.failed)
for (const [name, value] of Object.entries(imported))
  if (required[name] !== value) failed.push(`import and require give two of ${name}`)
console.log(JSON.stringify({ passed: passed + short.passed + 1, failed }))
