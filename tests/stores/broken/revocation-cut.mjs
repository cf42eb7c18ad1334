// Columns of 64 characters in the revocation list, without strict mode.
import { always, withNames } from '../table.mjs'

export default always(withNames((name) => name.slice(0, 64)))
