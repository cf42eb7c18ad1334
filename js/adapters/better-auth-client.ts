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
export type ShownReply<Reply, Result> = Omit<
  Extract<Reply, { result: Result }>,
  'pass' | 'ticket' | 'session' | 'browser'
>

/** The part of a finished login that better-auth's own ways in bring too. */
export interface LoggedInAnswer {
  /** The token of the session, for `bearer`. */
  token: string
  /** The user. */
  user: { id: string; email: string; name?: string; image?: string | null }
  /** Whether to go on to `url`: the page to which the way in would have led. */
  redirect?: boolean
  /** That page. */
  url?: string
}

/** An error, as better-auth's client gives it. */
export interface SecondFactorError {
  /** The HTTP status; see the statuses of each reply in the guide to adapters. */
  status: number
  /** Its text. */
  statusText: string
  /** The reason in capitals, such as `WRONG`, `LOCKED` or `FRESH_FACTOR_REQUIRED`. */
  code?: string
  /** A sentence for logs. */
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
  /** `set_up`: the policy asks for a first factor, to be set up now. */
  result: 'challenge' | 'set_up'
  twoFactorRedirect: true
  /** `totp`, and `otp` for SMS. */
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
  }): Answer<ShownReply<VerifyReply, 'verified'> & LoggedInAnswer>
  /** Sends the code of an SMS, or another one. */
  sendSms(body?: { factor?: string }): Answer<ShownReply<SendSmsReply, 'sms_sent'>>
  /** Asks for a new challenge: within a session, for a recent factor; or after a ticket has ended. */
  again(): Answer<ShownReply<BeginReply, 'allowed' | 'challenge' | 'set_up'>>
  /** Where the login stands: `nobody`, `first_factor`, `set_up`, `second_step` or `in`. */
  state(): Answer<{ result: string; user?: string; methods?: (UsableMethod | Method)[] }>
  /** The user's factors. */
  status(): Answer<{ result: 'status'; status: Status }>
  /** Begins to set up an app. */
  enrollTotp(body?: { name?: string; replaces?: string }): Answer<ShownReply<EnrollTotpReply, 'totp_started'>>
  /** Shows a set-up of an app once more, for a page that is loaded again. */
  showTotpSetup(body: { setup: string }): Answer<ShownReply<EnrollTotpReply, 'totp_started'>>
  /** Turns the app on with a code from it. */
  confirmTotp(body: {
    setup: string
    code: string
  }): Answer<ShownReply<ConfirmReply, 'enrolled'> & Partial<LoggedInAnswer>>
  /** Begins to set up a phone, by its number in E.164 form. */
  enrollSms(body: { number: string; name?: string; replaces?: string }): Answer<ShownReply<EnrollSmsReply, 'sms_sent'>>
  /** Turns the phone on with the code sent to it. */
  confirmSms(body: {
    setup: string
    code: string
  }): Answer<ShownReply<ConfirmReply, 'enrolled'> & Partial<LoggedInAnswer>>
  /** Gives an app or a phone another name. */
  rename(body: { factor: string; name: string }): Answer<ShownReply<RenameReply, 'renamed'>>
  /** Removes an app or a phone. */
  remove(body: { factor: string }): Answer<ShownReply<RemoveReply, 'removed'>>
  /** Ends the trust in a browser. */
  removeTrustedBrowser(body: {
    browser: string
  }): Answer<ShownReply<RemoveTrustedBrowserReply, 'trusted_browser_removed'>>
  /** Makes new backup codes; the old ones end. */
  renewBackupCodes(): Answer<ShownReply<BackupCodesReply, 'backup_codes'>>
  /** Shows the backup codes again, where the policy keeps a copy. */
  showBackupCodes(): Answer<ShownReply<BackupCodesReply, 'backup_codes'>>
  /** Shows new backup codes once more, for a page that is loaded again. */
  showNewBackupCodes(body: { newCodes: string }): Answer<ShownReply<BackupCodesReply, 'backup_codes'>>
  /** Notes that the person has saved the backup codes. */
  confirmBackupCodes(body: { set: string }): Answer<ShownReply<ConfirmBackupCodesReply, 'confirmed'>>
  /** An owner issues a recovery code for a member. */
  issueRecoveryCode(body: { user: string }): Answer<ShownReply<IssueRecoveryCodeReply, 'recovery_code'>>
  /** An owner takes back a member's second factor. */
  reset(body: { user: string }): Answer<ShownReply<IssueRecoveryCodeReply, 'recovery_code'>>
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
