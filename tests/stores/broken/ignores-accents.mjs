// A collation that ignores accents.
import { always, parts, storeOn } from '../table.mjs'

const own = parts()
export default always(storeOn({ ...own, key: (id) => own.key(id).normalize('NFD').replace(/\p{M}/gu, '') }))
