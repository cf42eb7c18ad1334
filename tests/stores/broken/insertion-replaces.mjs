// Many insertions are upserts.
import { memoryStore } from 'countersign'
import { always } from '../table.mjs'

const store = memoryStore()
export default always({
  ...store,
  insertMany: (records) =>
    Promise.all(records.map(async ({ id, record }) => store.save(id, record, (await store.load(id))?.version))),
})
