// The turns of a user's calls that hash, in an edge worker. There no call may wait for another one: what that one would do at its
// end never happens where its request was ended in the middle.
//
// So a call looks by a timer of its own whether somebody hashes for the user. It has its turn once nobody does, or once the one who
// does has had three seconds: that request has ended. After five seconds it is told `busy`. As elsewhere, of many wrong backup codes
// at once the first few are hashed, and the others find the user locked.
import { CountersignError } from './error.js'
import { load, type RecordId, recordKey, type Store, type Stored } from './store.js'

/** A place in a user's line. */
export interface Place {
  /** Whether nobody stood before it. */
  isFirst: boolean
  /** Settles when all before it have left, or have been waited for long enough. */
  turn: Promise<void>
  /** The record, from a load that began when this place was taken already. */
  load(): Promise<Stored | undefined>
  /** Notes that those behind wait for hashes, and gives these. */
  whileHashing<T>(hashes: Promise<T>): Promise<T>
  leave(): void
}

const LOOK_MS = 20
const TURN_MS = 3_000
const PATIENCE_MS = 5_000

export function hashTurns(store: Store) {
  /** The end of each user's turn that is under way, by the clock of the runtime. */
  const ends = new Map<string, number>()

  function join(id: RecordId): Place {
    const key = recordKey(id)
    const isFree = () => (ends.get(key) ?? 0) <= Date.now()
    let end: number | undefined
    const begin = () => {
      end = Date.now() + TURN_MS
      ends.set(key, end)
    }

    async function waitForTurn(): Promise<void> {
      for (let waited = 0; !isFree(); waited += LOOK_MS) {
        if (waited >= PATIENCE_MS)
          throw new CountersignError(
            'busy',
            '',
            'too many hashes are waiting; nothing was stored, try again in a moment',
          )
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      }
      begin()
    }

    const isFirst = isFree()
    if (isFirst) begin()
    return {
      isFirst,
      turn: isFirst ? Promise.resolve() : waitForTurn(),
      load: () => load(store, id),
      whileHashing: (hashes) => hashes,
      leave() {
        // Not the turn of another one, who has waited long enough.
        if (ends.get(key) === end) ends.delete(key)
      },
    }
  }

  return { join, forgetLoad: () => {} }
}
