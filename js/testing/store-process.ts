// The program of a process that races: it opens an instance by the module of the host's, and does the jobs that it is sent.
import { messageOf, type OpenInstance } from './store/asking.js'
import type { Answer, Question } from './store/crews.js'
import { StoreDefect } from './store/defects.js'
import { JOBS } from './store/jobs.js'

const opened = import(process.argv[2]!).then(({ default: open }: { default: OpenInstance }) => open())
opened.catch(() => undefined) // told by each job

process.on('message', ({ number, name, input }: Question) => {
  void opened
    .then(({ store }): Promise<unknown> => JOBS[name](store, input as never))
    .then(
      (answer): Answer => ({ number, answer }),
      (error: unknown): Answer => ({
        number,
        failed: messageOf(error),
        defect: error instanceof StoreDefect ? { name: error.defect, seen: error.seen } : undefined,
      }),
    )
    .then((answer) => process.send?.(answer, undefined, undefined, () => undefined)) // nobody may be left to be told
})

process.once('disconnect', () => {
  void opened
    .then(({ close }) => close?.())
    .catch(() => undefined)
    .then(() => process.exit(0))
})
