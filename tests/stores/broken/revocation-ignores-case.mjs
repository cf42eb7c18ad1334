// A collation of the revocation list takes letters of both cases for one.
import { always, withNames } from '../table.mjs'

export default always(withNames((name) => name.toLowerCase()))
