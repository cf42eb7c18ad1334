// A column of 32 bits takes the greatest number that it can hold.
import { newVersion } from 'countersign'
import { always, parts, storeOn } from '../table.mjs'

export default always(storeOn({ ...parts(), version: () => Math.min(newVersion(), 2 ** 31 - 1) }))
