// The effects of a step whose record is stored. All of them are started at once, in their order, and the message
// last: whatever hangs, be it the gateway, the mail server or the log, keeps back none of the others.
//
// The reply waits for the message alone, because its failure is the answer to the user. So a gateway that hangs
// holds up the call that sends a message, and no other call.
import { CountersignError, SmsNeverLeft } from './error.js'
import { warn } from './platform.js'
import type * as wasm from './wasm.js'

/** The host's functions for effects; see `SecondFactorOptions`. */
interface EffectHost {
  sendSms?: ((message: wasm.SmsMessage) => unknown) | undefined
  endPasses?: ((ended: wasm.EndedPasses) => unknown) | undefined
  notify?: ((notice: wasm.Notice) => unknown) | undefined
  onEvent?: ((event: wasm.Event) => unknown) | undefined
  onEffectError?: ((error: unknown) => unknown) | undefined
}

/**
 * Carries out the effects of a step whose record is stored. `giveBack` gets the id of a message that never left.
 * @internal
 */
export async function carryOut(
  effects: wasm.Effect[],
  host: EffectHost,
  giveBack?: (message: string) => Promise<void>,
): Promise<void> {
  const messages: wasm.SmsMessage[] = []
  for (const effect of effects) {
    if (Object.hasOwn(effect, 'sms')) messages.push((effect as { sms: wasm.SmsMessage }).sms)
    else if (isTold(effect, host)) tell(effect, host).catch((error) => report(error, host))
  }
  await Promise.all(messages.map((message) => send(message, host, giveBack)))
}

/**
 * Hands over the effects of many steps, and waits until each was taken or has failed: a million of them must not wait at once.
 * @internal
 */
export async function carryOutAndWait(effects: wasm.Effect[], host: EffectHost): Promise<void> {
  const told = effects.filter((effect) => isTold(effect, host))
  await Promise.all(told.map((effect) => tell(effect, host).catch((error) => report(error, host))))
}

/** Whether an effect tells that passes have ended. @internal */
export const endsPasses = (effect: wasm.Effect): boolean => Object.hasOwn(effect, 'end_passes')

/** Whether the host has a function for an effect. */
function isTold(effect: wasm.Effect, { endPasses, notify, onEvent }: EffectHost): boolean {
  if (Object.hasOwn(effect, 'log')) return onEvent !== undefined
  return (endsPasses(effect) ? endPasses : notify) !== undefined
}

/** Hands over an effect that the reply does not wait for. */
async function tell(effect: wasm.Effect, host: EffectHost): Promise<void> {
  if (Object.hasOwn(effect, 'end_passes')) {
    await host.endPasses?.((effect as { end_passes: wasm.EndedPasses }).end_passes)
  } else if (Object.hasOwn(effect, 'notify')) {
    await host.notify?.((effect as { notify: wasm.Notice }).notify)
  } else {
    await host.onEvent?.((effect as { log: wasm.Event }).log)
  }
}

async function send(
  message: wasm.SmsMessage,
  host: EffectHost,
  giveBack: ((message: string) => Promise<void>) | undefined,
): Promise<void> {
  const { id } = message
  try {
    await host.sendSms!(message)
  } catch (error) {
    if (SmsNeverLeft.is(error)) await giveBack?.(id).catch((failure) => report(failure, host))
    throw new CountersignError(
      'sms_not_sent',
      'sendSms',
      'the gateway did not take the message; ask for another',
      error,
    )
  }
}

/** Hands over an error that changes no reply. It is not awaited. @internal */
export function report(error: unknown, { onEffectError }: Pick<EffectHost, 'onEffectError'>): void {
  const tell = async () => {
    if (onEffectError) await onEffectError(error)
    else warn('countersign: notify, onEvent or limits failed; give onEffectError to handle it')
  }
  tell().catch(() => undefined) // The reply stands, even if `onEffectError` fails.
}

type EndPasses = (ended: wasm.EndedPasses) => unknown

/** Hands ended passes to the list of the store and to the host's function. Neither waits for the other, nor fails with it. @internal */
export function toBoth(list: EndPasses | undefined, host: EndPasses | undefined): EndPasses | undefined {
  if (list === undefined || host === undefined) return list ?? host
  return async (ended) => {
    const told = await Promise.allSettled([list, host].map(async (tell) => tell(ended)))
    for (const one of told) if (one.status === 'rejected') throw one.reason
  }
}
