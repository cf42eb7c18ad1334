// The key is a hash of 32 bits.
import { recordKey } from 'countersign'
import { always, parts, storeOn } from '../table.mjs'

const hashOf = (text) => Array.from(text).reduce((hash, sign) => (31 * hash + (sign.codePointAt(0) ?? 0)) | 0, 0)
export default always(storeOn({ ...parts(), key: (id) => String(hashOf(recordKey(id))) }))
