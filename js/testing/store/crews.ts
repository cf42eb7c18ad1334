// Those who race: instances in this process, or processes with an instance each.
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { type OpenInstance, withInstances } from './asking.js'
import { StoreDefect, type StoreDefectName } from './defects.js'
import { JOBS, type Jobs } from './jobs.js'

/** One who does jobs on an instance of its own. */
export interface Racer {
  run<Name extends keyof Jobs>(name: Name, input: Parameters<Jobs[Name]>[1]): Promise<Awaited<ReturnType<Jobs[Name]>>>
}

/** A place to race in. */
export interface Place {
  /** How it is named in a test. */
  name: string
  /** Writers at once for each racer. */
  burst: number
  /** Whether each racer is a process. */
  apart: boolean
  /** Makes the racers, and ends them after the work. */
  race<T>(work: (racers: Racer[]) => Promise<T>): Promise<T>
}

/** Racers in this process. */
export const inProcess = (open: OpenInstance, name: string, count: number, burst: number): Place => ({
  name,
  burst,
  apart: false,
  race: (work) =>
    withInstances(open, count, (stores) =>
      work(stores.map((store) => ({ run: (name, input) => JOBS[name](store, input as never) as never }))),
    ),
})

/** Racers in processes of their own, which open their instance by a module. */
export const inProcesses = (module: string, count: number, burst: number): Place => ({
  name: 'through several processes',
  burst,
  apart: true,
  async race(work) {
    const processes = Array.from({ length: count }, () =>
      fork(PROGRAM, [module], { execArgv: [], serialization: 'advanced' }),
    )
    try {
      const racers = processes.map(racerIn)
      await Promise.all(racers.map((racer) => racer.run('load', { user: 'nobody' }))) // all have begun
      return await work(racers)
    } finally {
      await Promise.all(processes.map(ended))
    }
  },
})

/** Beside the bundle of this file. */
const PROGRAM = join(__dirname, 'store-process.cjs')

/** A job for a process. */
export interface Question {
  number: number
  name: keyof Jobs
  input: unknown
}

/** The answer of a process to the job of this number. */
export type Answer = { number: number } & (
  | { answer: unknown }
  | { failed: string; defect?: { name: StoreDefectName; seen: string } | undefined }
)

function racerIn(process: ChildProcess): Racer {
  const gone = new Promise<never>((_, reject) => {
    process.once('error', reject)
    process.once('exit', (code) => reject(new Error(`a process of the kit ended with ${code}; its error is above`)))
  })
  gone.catch(() => undefined)
  const waiting = new Map<number, (answer: Answer) => void>()
  process.on('message', (message) => {
    const answer = message as Answer
    waiting.get(answer.number)?.(answer)
    waiting.delete(answer.number)
  })
  let number = 0
  return {
    async run(name, input) {
      const question: Question = { number: ++number, name, input }
      const answered = new Promise<Answer>((resolve) => waiting.set(question.number, resolve))
      process.send(question)
      const answer = await Promise.race([answered, gone])
      if ('answer' in answer) return answer.answer as never
      if (answer.defect !== undefined) throw new StoreDefect(answer.defect.name, answer.defect.seen)
      throw new Error(`in a process of the kit: ${answer.failed}`)
    },
  }
}

/** Ends a process: it closes its instance once nobody is left to ask. */
async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return
  const exit = new Promise<void>((resolve) => process.once('exit', () => resolve()))
  const late = setTimeout(() => process.kill('SIGKILL'), 2_000)
  if (process.connected) process.disconnect()
  await exit
  clearTimeout(late)
}
