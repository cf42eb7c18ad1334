// Sends people to the login early. It lets nobody in: each page, action and handler asks by itself.
import { auth } from './auth.js'

export const proxy = auth.middleware
export const config = { matcher: '/account/:path*' }
