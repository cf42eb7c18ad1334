// The first version is made of the id, and counted up: a deletion brings it back.
import { createHash } from 'node:crypto'
import { always, parts, storeOn } from '../table.mjs'

const firstOf = (id) => 2 ** 40 + createHash('sha256').update(JSON.stringify(id)).digest().readUInt32LE()
export default always(
  storeOn({ ...parts(), version: (id, before) => (before === undefined ? firstOf(id) : before + 1) }),
)
