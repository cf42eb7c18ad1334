// A column of JSON, which keeps the value and not the text.
import { always, parts, storeOn } from '../table.mjs'

const text = (record) => {
  try {
    return JSON.stringify(JSON.parse(record))
  } catch {
    return record
  }
}
export default always(storeOn({ ...parts(), text }))
