// Loaded before an example: its clock is the system's, moved on by the seconds in the file of CLOCK_FILE.
import { readFileSync } from 'node:fs'

const systemNow = Date.now
const file = process.env.CLOCK_FILE ?? ''

Date.now = () => systemNow() + Number(readFileSync(file, 'utf8')) * 1_000

// A library such as jose asks for a date, and not for the time.
const SystemDate = Date
globalThis.Date = /** @type {DateConstructor} */ (
  new Proxy(SystemDate, {
    construct: (_, args, target) =>
      Reflect.construct(SystemDate, args.length === 0 ? [SystemDate.now()] : args, target),
  })
)
