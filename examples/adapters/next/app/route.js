import { auth } from '../auth.js'

export const GET = auth.handler({}, (_request, person) => Response.json({ user: person.user }))
