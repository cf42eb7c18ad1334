// The last page is left out where it is not full.
import { memoryStore } from 'countersign'
import { always } from '../table.mjs'

const store = memoryStore()
export default always({
  ...store,
  async list(question) {
    const page = await store.list(question)
    return page.records.length < question.limit ? { records: [] } : page
  },
})
