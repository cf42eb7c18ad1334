// `countersign restored`: resets the users whose factors changed after the backup that the database was restored from.
import { readFileSync } from 'node:fs'
import type { RecordId } from '../index.js'
import { type ChangedSinceInput, changedSince, createOperator } from '../operator.js'
import { argumentsOf, nameOf, optionsIn, UsageError, wordsWithCause } from './common.js'

export async function restored(args: string[]): Promise<void> {
  const { config, events, since, operator } = restoredArguments(args)
  const { reset } = createOperator(await optionsIn(config))
  const imported = new Set<string>()
  const changed = changedSince({ events: notingImports(eventsIn(events), since, imported), since })
  const open: RecordId[] = []
  for (const id of changed) {
    try {
      await reset({ ...id, operator })
      console.log(`reset: ${nameOf(id)}`)
    } catch (error) {
      // One whose account is gone must not keep the others from their reset.
      open.push(id)
      console.error(`not reset: ${nameOf(id)}: ${wordsWithCause(error)}`)
    }
  }
  if (imported.size > 0)
    console.error(
      `${imported.size} users were imported since the backup: do that import again, for those who were not reset`,
    )
  console.log(`${changed.length - open.length} users were reset; only a recovery code lets them in`)
  if (open.length > 0) throw new Error(`${open.length} users were not reset, and may log in without a second factor`)
}

/** The events, with the users who were imported since the backup noted. */
function* notingImports(events: Iterable<EventOfLog>, since: number, imported: Set<string>): Iterable<EventOfLog> {
  for (const event of events) {
    if (event?.event === 'totp_imported' && event.at >= since) imported.add(JSON.stringify([event.account, event.user]))
    yield event
  }
}

function restoredArguments(args: string[]) {
  const { config, events, since, operator } = argumentsOf(args, ['config', 'events', 'since', 'operator'], [])
  const time = Date.parse(since)
  if (!/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(since) || Number.isNaN(time))
    throw new UsageError('--since must be a time with its zone, such as 2026-11-28T04:00:00Z')
  return { config, events, since: Math.floor(time / 1000), operator }
}

function* eventsIn(file: string): Iterable<EventOfLog> {
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.trim() === '') continue
    try {
      yield JSON.parse(line)
    } catch {
      throw new Error(`${file}, line ${index + 1}: is no event in JSON`)
    }
  }
}

type EventOfLog = ChangedSinceInput['events'] extends Iterable<infer Event> ? Event : never
