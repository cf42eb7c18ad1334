// An error of a load is caught, and no record is given. A closed instance fails.
import { closable, parts, storeOn } from '../table.mjs'

export default closable(storeOn(parts()), ({ load, save }) => ({
  load: (id) => load(id).catch(() => undefined),
  save,
}))
