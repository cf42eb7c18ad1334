// The instructions of the core for one job, as callgrind has counted them. tests/instructions holds them.
import { readFileSync } from 'node:fs'

const counts = new URL('../tests/instructions/counts.json', import.meta.url)

/** The jobs of bench/instructions.rs. */
export const jobs = {
  totp: 'a wrong code of an app, compared with three steps',
  begin: '`begin`, from text to text',
  verify: '`verify` of a right code, from text to text',
  explain: 'a decision by the policy of a small company',
  judge: 'a request with a good pass, at the gate',
  judge_first_sight: 'a request with a good pass that the gate has not seen before',
}

/** @returns {{ title: string, head: string[], rows: string[][], notes: string[] }} */
export function instructions() {
  const counted = JSON.parse(readFileSync(counts, 'utf8'))
  return {
    title: 'Instructions of the core, compiled for the machine',
    head: ['', 'instructions'],
    rows: Object.entries(jobs).map(([job, title]) => [title, counted[job].toLocaleString('en')]),
    notes: ['A count repeats where a time does not: `tests/instructions` holds each within 5 %.'],
  }
}
