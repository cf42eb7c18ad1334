// The queue of hash jobs before a fixed number of workers.
//
// The calls in it take turns, one job each, so that a login with its one hash does not wait for the
// ten of a new set of backup codes before it. The queue is bounded by work and not by number, because
// the policy sets the cost of a hash: a call that would wait for longer than some five seconds is told
// `busy` at once. Nothing was stored then, and no attempt was charged.
import { CountersignError } from './error.js'

/** Computes hash jobs, 60 bytes each; gives their hashes, 32 bytes each. */
export type Hasher = (jobs: Uint8Array) => Promise<Uint8Array>

/** One thread that computes one hash at a time. */
export interface HashWorker {
  /** Whether it can take another job. */
  readonly alive: boolean
  /** The hash of a job. */
  compute(job: Uint8Array): Promise<Uint8Array>
}

/** Length of a job, and of a hash, in bytes. */
export const JOB_BYTES = 60
export const HASH_BYTES = 32

/** KiB × passes that may wait for each worker: 200 hashes of the default cost, 25 ms each on a slow processor. */
const MAX_WORK = 200 * 19_456 * 2

interface Job {
  bytes: Uint8Array
  /** Its memory in KiB × its passes. */
  work: number
}

/** The jobs of one call. */
interface Call {
  jobs: Job[]
  /** The next job to hand to a worker. */
  next: number
  hashes: Uint8Array
  left: number
  resolve(hashes: Uint8Array): void
  reject(error: unknown): void
}

/** A queue before `size` workers, each started when it is needed. */
export function hashQueue(size: number, start: () => HashWorker): Hasher {
  const idle: HashWorker[] = []
  const calls: Call[] = []
  let running = 0
  let work = 0

  function handOut(): void {
    while (running < size) {
      const call = calls.shift()
      if (call === undefined) return
      const index = call.next
      call.next += 1
      if (call.next < call.jobs.length) calls.push(call)
      running += 1
      void run(call, index).then(() => {
        running -= 1
        work -= call.jobs[index]!.work
        handOut()
      })
    }
  }

  async function run(call: Call, index: number): Promise<void> {
    try {
      const worker = freeWorker()
      try {
        call.hashes.set(await worker.compute(call.jobs[index]!.bytes), index * HASH_BYTES)
      } finally {
        if (worker.alive) idle.push(worker)
      }
      call.left -= 1
      if (call.left === 0) call.resolve(call.hashes)
    } catch (error) {
      call.reject(error)
      const place = calls.indexOf(call)
      if (place === -1) return
      calls.splice(place, 1)
      for (const job of call.jobs.slice(call.next)) work -= job.work
    }
  }

  function freeWorker(): HashWorker {
    for (let worker = idle.pop(); worker !== undefined; worker = idle.pop()) if (worker.alive) return worker
    return start()
  }

  return (bytes) =>
    new Promise((resolve, reject) => {
      const count = bytes.length / JOB_BYTES
      const jobs = Array.from({ length: count }, (_, i) => jobOf(bytes.subarray(i * JOB_BYTES, (i + 1) * JOB_BYTES)))
      const more = jobs.reduce((sum, job) => sum + job.work, 0)
      // One call always has room in an empty queue, whatever its cost.
      if (work > 0 && work + more > MAX_WORK * size) {
        reject(
          new CountersignError('busy', '', 'too many hashes are waiting; nothing was stored, try again in a moment'),
        )
        return
      }
      work += more
      calls.push({ jobs, next: 0, hashes: new Uint8Array(count * HASH_BYTES), left: count, resolve, reject })
      handOut()
    })
}

function jobOf(bytes: Uint8Array): Job {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { bytes, work: view.getUint32(0, true) * view.getUint32(4, true) }
}
