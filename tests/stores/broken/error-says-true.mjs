// An error of a save is caught, and true is said. A closed instance fails.
import { parts, storeOn } from '../table.mjs'

const table = storeOn(parts())
export default function open() {
  let isOpen = true
  const save = async (...of) => {
    if (!isOpen) throw new Error('the pool has ended')
    return table.save(...of)
  }
  return {
    store: { load: table.load, save: (...of) => save(...of).catch(() => true) },
    close: () => {
      isOpen = false
    },
  }
}
