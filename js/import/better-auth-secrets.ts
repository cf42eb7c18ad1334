// The secrets under which better-auth encrypts, from the environment variables that it reads itself.

export interface BetterAuthSecrets {
  /** By version, as in `BETTER_AUTH_SECRETS`. */
  versions: ReadonlyMap<number, string>
  /** For bare hex, as in `BETTER_AUTH_SECRET`. */
  bare?: string | undefined
}

/** The secrets of better-auth's own environment variables. */
export function secretsOf(env: Record<string, string | undefined>): BetterAuthSecrets {
  const { BETTER_AUTH_SECRETS: list = '', BETTER_AUTH_SECRET: bare } = env
  const versions = new Map<number, string>()
  for (const item of list.split(',').filter((item) => item.trim() !== '')) {
    const [, version, secret] = /^\s*(\d+)[^:]*:\s*(.*?)\s*$/s.exec(item) ?? []
    if (version === undefined || !secret)
      throw new Error('BETTER_AUTH_SECRETS must be `<version>:<secret>`, with commas between')
    versions.set(Number(version), secret)
  }
  return { versions, bare: bare || undefined }
}
