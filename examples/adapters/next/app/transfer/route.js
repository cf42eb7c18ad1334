import { auth } from '../../auth.js'

// Ask again before this action: the second factor must be at most five minutes old.
export const POST = auth.handler({ maxAge: 300 }, () => Response.json({ result: 'sent' }))
