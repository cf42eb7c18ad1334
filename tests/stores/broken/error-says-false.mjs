// An error of a save is caught, and is told as a lost race. A closed instance fails.
import { parts, storeOn } from '../table.mjs'

const table = storeOn(parts())
export default function open() {
  let isOpen = true
  const whileOpen =
    (ask) =>
    async (...of) => {
      if (!isOpen) throw new Error('the pool has ended')
      return ask(...of)
    }
  const save = whileOpen(table.save)
  return {
    store: { load: whileOpen(table.load), save: (...of) => save(...of).catch(() => false) },
    close: () => {
      isOpen = false
    },
  }
}
