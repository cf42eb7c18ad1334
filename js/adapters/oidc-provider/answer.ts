// The answers of an interaction.

/** An answer, to be sent as it is, or as your page of its body. */
export interface StepAnswer {
  /** The HTTP status. */
  status: number
  /** Headers by their names in small letters. */
  headers: Record<string, string>
  /** The step. A redirection has none. */
  body: Record<string, unknown> | undefined
}

/** An answer with this status and body. Nothing of a login is kept by a cache. */
export const answer = (
  status: number,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): StepAnswer => ({ status, headers: { 'cache-control': 'no-store', ...headers }, body })

/** Sends the person on. */
export const redirection = (location: string): StepAnswer => ({
  status: 303,
  headers: { 'cache-control': 'no-store', location },
  body: undefined,
})
