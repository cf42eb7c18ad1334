// The version is updated_at.
import { setTimeout as later } from 'node:timers/promises'
import { always, parts, storeOn } from '../table.mjs'

const store = storeOn({ ...parts(), version: () => Date.now() })
export default always({ ...store, save: async (...of) => (await later(2), store.save(...of)) }) // no two in one millisecond
