// Loaded before an example: its clock is the system's, moved on by the seconds in the file of CLOCK_FILE.
import { readFileSync } from 'node:fs'

const systemNow = Date.now
const file = process.env.CLOCK_FILE ?? ''

Date.now = () => systemNow() + Number(readFileSync(file, 'utf8')) * 1_000
