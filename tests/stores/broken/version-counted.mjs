// Each record is counted from 1.
import { always, parts, storeOn } from '../table.mjs'

export default always(storeOn({ ...parts(), version: (_id, before = 0) => before + 1 }))
