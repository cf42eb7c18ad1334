// The parts of oidc-provider that the adapter touches, by their shape: the package is the host's, and none of ours.
/** The field that sessions and interactions have beside those of oidc-provider. */
export const FIELD = 'countersign'

/** The second factor of an OP session. It is in the session's own store, so that the log-out ends it. */
export interface KeptInSession {
  /** Names the session in tickets and passes, together with its `uid`. Another one comes at each step of a login. */
  rotation: string
  /** The time of the last log-in, in unix seconds. */
  since: number
  /** The time at which the person last proved something: the `auth_time` of tokens. */
  at: number
  /** The strength that the log-in itself proved. */
  acr?: string | undefined
  amr: string[]
  /** The pass. */
  pass?: string | undefined
}

/** An OP session. */
export interface OidcSession {
  readonly uid: string
  readonly jti: string
  accountId?: string | undefined
  loginTs?: number | undefined
  acr?: string | undefined
  amr?: string[] | undefined
  past(age: number): boolean
  persist(): Promise<unknown>
  [FIELD]?: KeptInSession | undefined
}

/** The result of interactions, in which one prompt's result is beside those before it. */
export interface OidcResult {
  login?: OidcLogin | undefined
  second_factor?: SecondFactorResult | undefined
  [other: string]: unknown
}

/** The result of a log-in. */
export interface OidcLogin {
  accountId?: string | undefined
  acr?: string | undefined
  amr?: string[] | undefined
  ts?: number | undefined
}

/** The result of our prompt. */
export interface SecondFactorResult {
  /** The pass, with the name of the session to which it is bound. It moves to the OP session at once. */
  passed?: { rotation: string; pass: string } | undefined
  /** It has moved: the person was asked in this very request. */
  isDone?: boolean | undefined
  /** The person went on without what the client would have liked. */
  declined?: boolean | undefined
}

/** An interaction. */
export interface OidcInteraction<Kept = unknown> {
  readonly uid: string
  readonly exp: number
  readonly prompt: { name: string; reasons: string[]; details: Record<string, unknown> }
  readonly params: Record<string, unknown>
  readonly session?: { accountId: string; uid: string } | undefined
  readonly lastSubmission?: OidcResult | undefined
  result?: OidcResult | undefined
  persist(): Promise<unknown>
  [FIELD]?: Kept | undefined
}

/** A token. */
export interface OidcToken {
  readonly kind: string
  readonly accountId?: string | undefined
  readonly sessionUid?: string | undefined
  readonly expiresWithSession?: boolean | undefined
  readonly acr?: string | undefined
  readonly amr?: string[] | undefined
  readonly authTime?: number | undefined
}

/** A request of Node.js. */
export interface NodeRequest extends AsyncIterable<Uint8Array | string> {
  /** Its method. */
  readonly method?: string | undefined
  /** Path and query, as they came. */
  readonly url?: string | undefined
  /** Its headers. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** The context of a request at the OP. */
export interface OidcContext {
  readonly ip: string
  readonly req: NodeRequest
  readonly oidc: {
    readonly session?: OidcSession
    readonly params?: Record<string, unknown>
    readonly result?: OidcResult
    readonly provider: OidcProvider
    promptPending(name: string): boolean
    readonly entities: Record<string, OidcToken> & { Interaction?: OidcInteraction | undefined }
  }
}

/** A model whose payload has named fields. */
interface Model {
  readonly IN_PAYLOAD: string[]
}

/** The provider. */
export interface OidcProvider {
  readonly Session: Model & {
    findByUid(uid: string): Promise<OidcSession | undefined>
    get(ctx: object): Promise<OidcSession>
  }
  readonly Interaction: Model & { find(uid: string): Promise<OidcInteraction | undefined> }
  createContext(request: NodeRequest, response: object): { readonly ip: string }
  interactionDetails(request: NodeRequest, response: object): Promise<OidcInteraction>
  interactionResult(request: NodeRequest, response: object, result: OidcResult): Promise<string>
}

/** A check of a prompt. */
export interface OidcCheck {
  readonly reason: string
}

/** A prompt. */
export interface OidcPrompt {
  readonly name: string
  readonly checks: { add(check: OidcCheck): void; remove(reason: string): void }
}

/** A policy of interactions: prompts in the order in which they are asked. */
export type OidcPolicy = OidcPrompt[] & { add(prompt: OidcPrompt, index?: number): void }

type Ask<T> = (ctx: OidcContext) => T | Promise<T>

/** The exports of oidc-provider that the adapter uses. */
export interface OidcExports {
  readonly errors: Record<
    'AccessDenied' | 'InvalidRequest' | 'TemporarilyUnavailable' | 'UnmetAuthenticationRequirements',
    new (
      description?: string,
    ) => Error
  >
  readonly interactionPolicy: {
    base(): OidcPolicy
    readonly Check: new (
      reason: string,
      description: string,
      error: string,
      check: Ask<boolean>,
      details?: Ask<Record<string, unknown>>,
    ) => OidcCheck
    readonly Prompt: new (options: { name: string; requestable?: boolean }, ...checks: OidcCheck[]) => OidcPrompt
  }
}
