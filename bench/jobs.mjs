// Runs one job of goals.mjs in this process, and hands its result to the parent, or prints it:
//   node bench/jobs.mjs begin
// A result has the microseconds of each candidate, ours first; of a job against a number, those for each number.
// @ts-nocheck: the peers are installed only by `npm run bench`
import { begin, decision, login, pass, totpCode } from './calls.mjs'
import { manyPasses, networks, records } from './growth.mjs'
import { coldImport, hash, qrCode } from './tools.mjs'

const jobs = {
  totp: totpCode,
  pass,
  begin,
  login,
  decision,
  hash,
  qr: qrCode,
  import: coldImport,
  networks,
  records,
  passes: manyPasses,
}

const result = await jobs[process.argv[2]]()
if (process.send) process.send(result)
else console.log(result)
