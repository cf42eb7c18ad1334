import { auth } from '../../auth.js'

// Ask again before this action: a second factor older than five minutes does not count.
export const POST = auth.handler({ maxAge: 300 }, () => Response.json({ result: 'sent' }))
