// The adapter beside Next's own types: an app needs no cast.
import type { SecondFactor } from 'countersign'
import { nextSecondFactor } from 'countersign/next'
import type { NextApiHandler, NextApiRequest, NextApiResponse } from 'next'
import type { NextProxy, NextRequest } from 'next/server.js'

declare const secondFactor: SecondFactor

export const auth = nextSecondFactor(async () => ({
  secondFactor,
  pages: { login: '/sign-in', secondStep: '/second-step' },
}))

type Context = { params: Promise<{ id: string }> }

export const { GET, POST } = auth.routes
export const proxy: NextProxy = auth.middleware
export const DELETE = auth.handler({}, async (request: NextRequest, person, { params }: Context) =>
  Response.json({ path: request.nextUrl.pathname, user: person.user, id: (await params).id }),
)
// @ts-expect-error  seconds are a number
export const PATCH = auth.handler({ maxAge: '300' }, () => new Response())
export const PUT = auth.handler({ maxAge: 300 }, (request, person) => Response.json([request.url, person.user]))
export const api: NextApiHandler = auth.api({}, (req: NextApiRequest, res: NextApiResponse, person) =>
  res.status(200).json([req.query.id, person.user]),
)
export const transfer: (form: FormData) => Promise<void> = auth.action(
  { maxAge: 300 },
  async (person, form: FormData) => console.log(person.user, form.get('amount')),
)
export const rename: (before: string, form: FormData) => Promise<string> = auth.action(
  {},
  (person, before: string, form: FormData) => `${person.user} ${before} ${form.get('name')}`,
)
