import { auth, checkPassword } from '../../auth.js'

export async function POST(request) {
  const body = await request.json()
  const user = await checkPassword(body)
  if (user === undefined) return Response.json({ result: 'wrong_password' }, { status: 401 })
  return auth.login(request, { user, carry: body.carry === 'value' ? 'value' : 'cookie' })
}
