import { auth } from '../../auth.js'

// The middleware has no matcher for this page.
export default async () => <p>The inside of {(await auth.person({ maxAge: 300, next: '/inner?tab=2' })).user}</p>
