// The types of better-auth and of the adapter fit together: compiled by `better-auth-types.test.mjs`.
import { betterAuth } from 'better-auth'
import { createAuthClient } from 'better-auth/client'
import { type BetterAuthOptions, requireSecondFactor, secondFactor } from 'countersign/better-auth'
import { secondFactorClient } from 'countersign/better-auth/client'

export const auth = betterAuth({ plugins: [secondFactor({} as BetterAuthOptions)] })
export const client = createAuthClient({ plugins: [secondFactorClient({ secondStepPage: '/second-factor' })] })

export async function used(headers: Headers): Promise<(string | undefined)[]> {
  const { user, authTime } = await requireSecondFactor(auth, headers, { maxAge: 300 })
  const { data, error } = await client.secondFactor.verify({ method: 'totp', code: '123456' })
  const { data: started } = await client.secondFactor.enrollTotp({ name: 'Phone' })
  return [user.email, String(authTime), error?.code, data?.user.id, data?.url, started?.qrSvg]
}

// @ts-expect-error: a method that is none
client.secondFactor.verify({ method: 'fax', code: '123456' })
