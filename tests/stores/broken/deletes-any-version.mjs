// A deletion names no version.
import { always, parts, storeOn } from '../table.mjs'

const own = parts()
const store = storeOn(own)
export default always({ ...store, delete: async (id) => own.rows.delete(own.key(id)) })
