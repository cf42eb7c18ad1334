// An error of a load is caught, and no record is given. A closed instance fails.
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
  const load = whileOpen(table.load)
  return {
    store: { load: (id) => load(id).catch(() => undefined), save: whileOpen(table.save) },
    close: () => {
      isOpen = false
    },
  }
}
