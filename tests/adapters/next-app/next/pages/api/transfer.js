import { auth } from '../../auth.js'

export default auth.api({ maxAge: 300 }, (_req, res, person) => res.status(200).json({ user: person.user }))
