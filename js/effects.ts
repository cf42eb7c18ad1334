import { CountersignError, SmsNeverLeft } from './error.js'
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
  let unsent: CountersignError | undefined
  for (const effect of effects) {
    if (Object.hasOwn(effect, 'sms')) {
      const { sms } = effect as { sms: wasm.SmsMessage }
      const { id } = sms
      try {
        await host.sendSms!(sms)
      } catch (error) {
        if (SmsNeverLeft.is(error)) await giveBack?.(id).catch((failure) => report(failure, host))
        unsent = new CountersignError(
          'sms_not_sent',
          'sendSms',
          'the gateway did not take the message; ask for another',
          error,
        )
      }
      continue
    }
    const tell = async () => {
      if (Object.hasOwn(effect, 'end_passes'))
        await host.endPasses?.((effect as { end_passes: wasm.EndedPasses }).end_passes)
      else if (Object.hasOwn(effect, 'notify')) await host.notify?.((effect as { notify: wasm.Notice }).notify)
      else await host.onEvent?.((effect as { log: wasm.Event }).log)
    }
    // Started in order and not awaited: a mail server that hangs must not hang the login.
    tell().catch((error) => report(error, host))
  }
  if (unsent) throw unsent
}

/** Hands over an error that changes no reply. It is not awaited. @internal */
export function report(error: unknown, { onEffectError }: Pick<EffectHost, 'onEffectError'>): void {
  const tell = async () => {
    if (onEffectError) await onEffectError(error)
    else process.emitWarning('countersign: notify, onEvent or limits failed; give onEffectError to handle it')
  }
  tell().catch(() => undefined) // The reply stands, even if `onEffectError` fails.
}
