/**
 * The second factor in better-auth's client: `createAuthClient({ plugins: [secondFactorClient()] })`.
 *
 * @packageDocumentation
 */
import type {
  BackupCodesReply,
  BeginReply,
  ConfirmBackupCodesReply,
  ConfirmReply,
  EnrollSmsReply,
  EnrollTotpReply,
  IssueRecoveryCodeReply,
  Method,
  RemoveReply,
  RemoveTrustedBrowserReply,
  RenameReply,
  SendSmsReply,
  Status,
  UsableMethod,
  VerifyReply,
} from '../index.js'

/** The part of a reply that a client sees when the call went well. Tokens of the session stay in the session. */
type Shown<Reply, Result> = Omit<Extract<Reply, { result: Result }>, 'pass' | 'ticket' | 'session' | 'browser'>

/** The part of a finished login that better-auth's own ways in bring too. */
export interface LoggedInAnswer {
  /** The token of the session, for `bearer`. */
  token: string
  user: { id: string; email: string; name?: string; image?: string | null }
  /** Whether to go on to `url`: the page to which the way in would have led. */
  redirect?: boolean
  url?: string
}

/** An error, as better-auth's client gives it. */
export interface SecondFactorError {
  status: number
  statusText: string
  /** The reason in capitals, such as `WRONG`, `LOCKED` or `FRESH_FACTOR_REQUIRED`. */
  code?: string
  message?: string
  /** The result of the reply, such as `wrong`. */
  result?: string
  /** The reason of a refusal. */
  reason?: string
  /** The field that is wrong, where the result is `malformed`. */
  field?: string
  /** Attempts that are left. */
  attemptsLeft?: number
  /** The time, in unix seconds, from which another try makes sense. */
  retryAt?: number
}

/** An answer of better-auth's client. */
export type Answer<Data> = Promise<{ data: Data; error: null } | { data: null; error: SecondFactorError }>

/** A challenge in the answer of a way in. `twoFactorRedirect` and `twoFactorMethods` are those of better-auth's own second factor. */
export interface ChallengeAnswer {
  result: 'challenge' | 'set_up'
  twoFactorRedirect: true
  twoFactorMethods: string[]
  /** The methods of the challenge; names alone where a first factor is to be set up. */
  methods: (UsableMethod | Method)[]
  /** The half-way state, for a client that keeps it itself. */
  session?: string
}

/** The actions. Each answer has a `result`. */
export interface SecondFactorActions {
  /** Takes the second step. */
  verify(body: {
    method: Method
    code: string
    factor?: string
    trustBrowser?: boolean
    browserName?: string
  }): Answer<Shown<VerifyReply, 'verified'> & LoggedInAnswer>
  /** Sends the code of an SMS, or another one. */
  sendSms(body?: { factor?: string }): Answer<Shown<SendSmsReply, 'sms_sent'>>
  /** Asks for a new challenge: within a session, for a recent factor; or after a ticket has ended. */
  again(): Answer<Shown<BeginReply, 'allowed' | 'challenge' | 'set_up'>>
  /** Where the login stands: `nobody`, `first_factor`, `set_up`, `second_step` or `in`. */
  state(): Answer<{ result: string; user?: string; methods?: (UsableMethod | Method)[] }>
  /** The user's factors. */
  status(): Answer<{ result: 'status'; status: Status }>
  enrollTotp(body?: { name?: string; replaces?: string }): Answer<Shown<EnrollTotpReply, 'totp_started'>>
  showTotpSetup(body: { setup: string }): Answer<Shown<EnrollTotpReply, 'totp_started'>>
  confirmTotp(body: { setup: string; code: string }): Answer<Shown<ConfirmReply, 'enrolled'> & Partial<LoggedInAnswer>>
  enrollSms(body: { number: string; name?: string; replaces?: string }): Answer<Shown<EnrollSmsReply, 'sms_sent'>>
  confirmSms(body: { setup: string; code: string }): Answer<Shown<ConfirmReply, 'enrolled'> & Partial<LoggedInAnswer>>
  rename(body: { factor: string; name: string }): Answer<Shown<RenameReply, 'renamed'>>
  remove(body: { factor: string }): Answer<Shown<RemoveReply, 'removed'>>
  removeTrustedBrowser(body: { browser: string }): Answer<Shown<RemoveTrustedBrowserReply, 'trusted_browser_removed'>>
  renewBackupCodes(): Answer<Shown<BackupCodesReply, 'backup_codes'>>
  showBackupCodes(): Answer<Shown<BackupCodesReply, 'backup_codes'>>
  showNewBackupCodes(body: { newCodes: string }): Answer<Shown<BackupCodesReply, 'backup_codes'>>
  confirmBackupCodes(body: { set: string }): Answer<Shown<ConfirmBackupCodesReply, 'confirmed'>>
  /** An owner issues a recovery code for a member. */
  issueRecoveryCode(body: { user: string }): Answer<Shown<IssueRecoveryCodeReply, 'recovery_code'>>
  /** An owner takes back a member's second factor. */
  reset(body: { user: string }): Answer<Shown<IssueRecoveryCodeReply, 'recovery_code'>>
  /** Ends this session. */
  logOut(): Answer<{ result: 'logged_out' }>
  /** Ends all sessions of the user, and the trust in all browsers. */
  signOutEverywhere(): Answer<{ result: 'signed_out_everywhere' }>
}

/** Options of {@link secondFactorClient}. */
export interface SecondFactorClientOptions {
  /** Called with a challenge; it goes before `secondStepPage`. */
  onChallenge?: ((challenge: ChallengeAnswer) => unknown) | undefined
  /** The page of the second step, to which a challenge leads. */
  secondStepPage?: string | undefined
}

/** The names of the actions, with their methods. */
const METHODS: Record<keyof SecondFactorActions, 'GET' | 'POST'> = {
  verify: 'POST',
  sendSms: 'POST',
  again: 'POST',
  state: 'GET',
  status: 'GET',
  enrollTotp: 'POST',
  showTotpSetup: 'POST',
  confirmTotp: 'POST',
  enrollSms: 'POST',
  confirmSms: 'POST',
  rename: 'POST',
  remove: 'POST',
  removeTrustedBrowser: 'POST',
  renewBackupCodes: 'POST',
  showBackupCodes: 'POST',
  showNewBackupCodes: 'POST',
  confirmBackupCodes: 'POST',
  issueRecoveryCode: 'POST',
  reset: 'POST',
  logOut: 'POST',
  signOutEverywhere: 'POST',
}

type Fetch = (path: string, options: { method: string; body?: unknown }) => Promise<unknown>

/**
 * The plugin for better-auth's client. An answer with `twoFactorRedirect` is a challenge, as it is with better-auth's own second
 * factor, so that pages which look at it work on.
 *
 * @example
 * ```ts
 * import { createAuthClient } from 'better-auth/client'
 * import { secondFactorClient } from 'countersign/better-auth/client'
 *
 * export const authClient = createAuthClient({
 *   baseURL: 'https://acme.example',
 *   plugins: [secondFactorClient({ secondStepPage: '/second-factor' })],
 * })
 *
 * export async function secondStep(code: string): Promise<string> {
 *   const { data, error } = await authClient.secondFactor.verify({ method: 'totp', code })
 *   return error ? (error.code ?? 'failed') : data.user.id
 * }
 * ```
 */
export function secondFactorClient({ onChallenge, secondStepPage }: SecondFactorClientOptions = {}) {
  return {
    id: 'second-factor' as const,
    getActions: ($fetch: unknown): { secondFactor: SecondFactorActions } => {
      const call =
        (name: string, method: string) =>
        (body: Record<string, unknown> = {}) =>
          ($fetch as Fetch)(`/second-factor/${pathOf(name)}`, method === 'GET' ? { method } : { method, body })
      const actions = Object.entries(METHODS).map(([name, method]) => [name, call(name, method)])
      return { secondFactor: Object.fromEntries(actions) as unknown as SecondFactorActions }
    },
    atomListeners: [
      { matcher: (path: string) => path.startsWith('/second-factor/'), signal: '$sessionSignal' as const },
    ],
    fetchPlugins: [
      {
        id: 'second-factor',
        name: 'second-factor',
        hooks: {
          onSuccess: async ({ data }: { data?: unknown }) => {
            if (!isChallenge(data)) return
            if (onChallenge) await onChallenge(data)
            else if (secondStepPage !== undefined && 'location' in globalThis) globalThis.location.href = secondStepPage
          },
        },
      },
    ],
  }
}

const isChallenge = (data: unknown): data is ChallengeAnswer =>
  typeof data === 'object' && data !== null && (data as ChallengeAnswer).twoFactorRedirect === true

/** `enrollTotp` is `enroll-totp`. */
const pathOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
