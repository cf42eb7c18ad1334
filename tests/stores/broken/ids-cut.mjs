// A column of 255 characters without strict mode.
import { always, parts, storeOn } from '../table.mjs'

const own = parts()
export default always(storeOn({ ...own, key: ({ account, user }) => own.key({ account, user: user.slice(0, 255) }) }))
