// The key is the user alone.
import { always, parts, storeOn } from '../table.mjs'

export default always(storeOn({ ...parts(), key: ({ user }) => user }))
