// An error of a save is caught, and is told as a lost race. A closed instance fails.
import { closable, parts, storeOn } from '../table.mjs'

export default closable(storeOn(parts()), ({ load, save }) => ({
  load,
  save: (...of) => save(...of).catch(() => false),
}))
