// `countersign recovery`: issues a recovery code, resets a user, or withdraws the code.
import { createOperator, type OperatorOptions } from '../operator.js'
import { argumentsOf, nameOf, optionsIn, UsageError } from './common.js'

export async function recovery(args: string[]): Promise<void> {
  const { action, config, operator, ...id } = recoveryArguments(args)
  const { options, hadNoRecord } = watched(await optionsIn(config), action === 'reset')
  const commands = createOperator(options)
  const input = { ...id, operator }
  if (action === 'withdraw') {
    const { result } = await commands.withdrawRecoveryCode(input)
    console.log(result === 'withdrawn' ? 'withdrawn' : 'there is no recovery code')
    return
  }
  const { code, expiresAt } = await (action === 'reset'
    ? commands.reset(input)
    : commands.issueRecoveryCode(input)
  ).catch((error: unknown) => {
    throw isNoRecord(error) ? new Error(nothingToReset(id)) : error
  })
  if (hadNoRecord())
    console.error(
      `warning: there was no record of ${nameOf(id)} yet. That is so only before a first factor: otherwise the user or the account is another one; take the code back by \`recovery withdraw\``,
    )
  console.log(`${code}   (for ${nameOf(id)}; counts once, until ${new Date(expiresAt * 1000).toISOString()})`)
}

function recoveryArguments([action, ...args]: string[]) {
  if (action !== 'issue' && action !== 'reset' && action !== 'withdraw')
    throw new UsageError('recovery is followed by issue, reset or withdraw')
  return { action, ...argumentsOf(args, ['config', 'user', 'operator'], ['account']) }
}

/** Thrown by the store in place of no record, where the command must have one. */
class NoRecord extends Error {}

const isNoRecord = (error: unknown) => error instanceof Error && error.cause instanceof NoRecord

/** The same options, whose store tells whether there was a record at the first load, and may refuse to go on without one. */
function watched(options: OperatorOptions, mustHaveRecord: boolean) {
  let isFirst: boolean | undefined
  const store = options?.store
  // createOperator refuses a value that is no store, and tells what it lacks.
  if (typeof store?.load !== 'function' || typeof store.save !== 'function')
    return { options, hadNoRecord: () => false }
  const load: Store['load'] = async (id) => {
    const stored = await store.load(id)
    isFirst ??= (stored ?? undefined) === undefined
    if (mustHaveRecord && isFirst) throw new NoRecord()
    return stored
  }
  // A store of the host's may be an instance of a class. Its revocation list comes along: a reset ends passes by it.
  const bound = (member: unknown) => (typeof member === 'function' ? member.bind(store) : member)
  const { save, revoke, revoked } = store
  const list = { revoke: bound(revoke), revoked: bound(revoked) }
  return {
    options: { ...options, store: { load, save: bound(save), ...list } as Store },
    hadNoRecord: () => isFirst === true,
  }
}

type Store = OperatorOptions['store']

const nothingToReset = (id: { account?: string | undefined; user: string }) =>
  `there is no record of ${nameOf(id)}, so nothing was reset: look at --user and --account again. A user without a record never had a second factor, and \`recovery issue\` gives them a code`
