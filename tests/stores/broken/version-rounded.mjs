// A script of the database keeps 14 digits of the version, and compares as many.
import { newVersion } from 'countersign'
import { always, parts, storeOn } from '../table.mjs'

const digits = (version) => version && Number(version.toPrecision(14))
const store = storeOn({ ...parts(), version: () => digits(newVersion()) })
export default always({ ...store, save: (id, record, expected) => store.save(id, record, digits(expected)) })
