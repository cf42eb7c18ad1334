// Each record is counted from a random number above 2^32.
import { newVersion } from 'countersign'
import { always, parts, storeOn } from '../table.mjs'

export default always(storeOn({ ...parts(), version: (_id, before = newVersion()) => before + 1 }))
