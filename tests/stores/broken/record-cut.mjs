// A column of 4,096 characters without strict mode.
import { always, parts, storeOn } from '../table.mjs'

export default always(storeOn({ ...parts(), text: (record) => record.slice(0, 4_096) }))
