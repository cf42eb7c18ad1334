// It trims what it stores.
import { always, parts, storeOn } from '../table.mjs'

export default always(storeOn({ ...parts(), text: (record) => record.trim() }))
