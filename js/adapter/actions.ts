// The actions of a person on their second factor: one row each, with the states of a login in which it is admitted, and the fields
// that the client sends. Everything else comes from the session.
import type { SecondFactor } from '../second-factor.js'
import type * as wasm from '../wasm.js'
import type { Challenge } from './login.js'
import { type Caller, userOf } from './means.js'

/** The states in which an action is admitted. Where it is `in`, `check` is asked first. */
export type AdmittedIn = 'challenged' | 'set_up_or_in' | 'in' | 'anybody'

/** One call of an action. */
export interface ActionCall {
  secondFactor: SecondFactor
  /** The session's part of every command. */
  caller: Caller
  /** The pass, or the ticket of `set_up`, whichever the login has. */
  proof: { pass?: string | undefined; ticket?: string | undefined }
  /** The challenge to answer. */
  challenge: Challenge | undefined
  /** The fields of the client that the action has, each a text. A field that is missing is empty. */
  fields: Readonly<Record<string, string | undefined>>
  /** The trust that the person asks for in this browser. */
  trustBrowser: { name?: string | undefined; replaces?: string | undefined } | undefined
  /** The account's plan. */
  plan: string | undefined
  /** Shown in an app. */
  label: string
  /** Whether the user may rescue another one. */
  mayRescue: (user: string) => Promise<boolean>
}

/** An action. */
export interface Action {
  admittedIn: AdmittedIn
  /** Whether it changes nothing, so that its method is GET; else it is POST. */
  reads?: true
  /** The fields that must be there. */
  needs?: readonly string[]
  /** The fields that may be there. */
  takes?: readonly string[]
  run(call: ActionCall): Promise<wasm.Reply | StatusReply>
}

/** A user's second factor at a glance. */
export interface StatusReply {
  result: 'status'
  status: wasm.Status
}

const CHALLENGED = 'challenged' as const
const IN = 'in' as const

/** The actions by their names, which are the last part of a path. */
export const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  [
    'verify',
    {
      admittedIn: CHALLENGED,
      needs: ['method', 'code'],
      takes: ['factor', 'browserName'],
      run: ({ secondFactor, caller, challenge, fields, trustBrowser }) =>
        secondFactor.verify({
          ...withoutUser(caller),
          ticket: challenge!.ticket,
          method: fields.method as wasm.Method,
          code: fields.code,
          factor: fields.factor,
          trustBrowser,
        }),
    },
  ],
  [
    'send-sms',
    {
      admittedIn: CHALLENGED,
      takes: ['factor'],
      run: ({ secondFactor, caller, challenge, fields }) =>
        secondFactor.sendSms({ ...withoutUser(caller), ticket: challenge!.ticket, factor: fields.factor }),
    },
  ],
  ['status', { admittedIn: IN, reads: true, run: statusOf }],
  [
    'enroll-totp',
    {
      admittedIn: 'set_up_or_in',
      takes: ['name', 'replaces'],
      run: (call) =>
        call.secondFactor.enrollTotp({
          ...call.caller,
          ...call.proof,
          plan: call.plan,
          label: call.label,
          ...optionalFields(call),
        }),
    },
  ],
  [
    'show-totp-setup',
    {
      admittedIn: 'set_up_or_in',
      needs: ['setup'],
      run: (call) => call.secondFactor.showTotpSetup({ ...call.caller, setup: call.fields.setup! }),
    },
  ],
  [
    'confirm-totp',
    {
      admittedIn: 'set_up_or_in',
      needs: ['setup', 'code'],
      run: (call) =>
        call.secondFactor.confirmTotp({ ...call.caller, setup: call.fields.setup!, code: call.fields.code }),
    },
  ],
  [
    'enroll-sms',
    {
      admittedIn: 'set_up_or_in',
      needs: ['number'],
      takes: ['name', 'replaces'],
      run: (call) =>
        call.secondFactor.enrollSms({
          ...call.caller,
          ...call.proof,
          plan: call.plan,
          number: call.fields.number!,
          ...optionalFields(call),
        }),
    },
  ],
  [
    'confirm-sms',
    {
      admittedIn: 'set_up_or_in',
      needs: ['setup', 'code'],
      run: (call) =>
        call.secondFactor.confirmSms({ ...call.caller, setup: call.fields.setup!, code: call.fields.code }),
    },
  ],
  [
    'rename',
    {
      admittedIn: IN,
      needs: ['factor', 'name'],
      run: (call) =>
        call.secondFactor.rename({
          ...call.caller,
          pass: call.proof.pass,
          factor: call.fields.factor!,
          name: call.fields.name!,
        }),
    },
  ],
  [
    'remove',
    {
      admittedIn: IN,
      needs: ['factor'],
      run: (call) => call.secondFactor.remove({ ...call.caller, pass: call.proof.pass, factor: call.fields.factor! }),
    },
  ],
  [
    'remove-trusted-browser',
    {
      admittedIn: IN,
      needs: ['browser'],
      run: (call) =>
        call.secondFactor.removeTrustedBrowser({
          ...call.caller,
          pass: call.proof.pass,
          browser: call.fields.browser!,
        }),
    },
  ],
  [
    'renew-backup-codes',
    {
      admittedIn: IN,
      run: (call) => call.secondFactor.renewBackupCodes({ ...call.caller, pass: call.proof.pass }),
    },
  ],
  [
    'show-backup-codes',
    {
      admittedIn: IN,
      run: (call) => call.secondFactor.showBackupCodes({ ...call.caller, pass: call.proof.pass }),
    },
  ],
  [
    'show-new-backup-codes',
    {
      admittedIn: IN,
      needs: ['newCodes'],
      run: (call) =>
        call.secondFactor.showNewBackupCodes({
          ...call.caller,
          pass: call.proof.pass,
          newCodes: call.fields.newCodes!,
        }),
    },
  ],
  [
    'confirm-backup-codes',
    {
      admittedIn: IN,
      needs: ['set'],
      run: (call) =>
        call.secondFactor.confirmBackupCodes({ ...call.caller, pass: call.proof.pass, set: call.fields.set! }),
    },
  ],
  ['issue-recovery-code', { admittedIn: IN, needs: ['user'], run: (call) => rescue(call, 'issueRecoveryCode') }],
  ['reset', { admittedIn: IN, needs: ['user'], run: (call) => rescue(call, 'reset') }],
])

const withoutUser = ({ user: _, ...place }: Caller) => place

const optionalFields = ({ fields: { name, replaces } }: ActionCall) => ({ name, replaces })

async function statusOf({ secondFactor, caller }: ActionCall): Promise<StatusReply> {
  return { result: 'status', status: await secondFactor.status(userOf(caller)) }
}

/** An owner's act for another user of the same account. */
async function rescue(call: ActionCall, act: 'issueRecoveryCode' | 'reset'): Promise<wasm.Reply> {
  const { user, account, session, ip } = call.caller
  const other = call.fields.user!
  if (!(await call.mayRescue(other))) return { result: 'denied', reason: 'owner_only' }
  return call.secondFactor[act]({
    account,
    user: other,
    ip,
    by: { user, session, pass: call.proof.pass, role: 'owner' },
  })
}
