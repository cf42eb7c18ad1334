// The version goes through a number of 32 bits.
import { newVersion } from 'countersign'
import { always, parts, storeOn } from '../table.mjs'

export default always(storeOn({ ...parts(), version: () => newVersion() >>> 0 }))
