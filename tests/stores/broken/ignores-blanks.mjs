// A collation with PAD SPACE.
import { always, parts, storeOn } from '../table.mjs'

const own = parts()
export default always(storeOn({ ...own, key: ({ account, user }) => own.key({ account, user: user.trimEnd() }) }))
