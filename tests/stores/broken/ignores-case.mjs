// A collation that ignores case.
import { always, parts, storeOn } from '../table.mjs'

const own = parts()
export default always(storeOn({ ...own, key: (id) => own.key(id).toLowerCase() }))
