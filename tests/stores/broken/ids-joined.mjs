// One key of account and user with a colon between.
import { always, parts, storeOn } from '../table.mjs'

export default always(
  storeOn({ ...parts(), key: ({ account, user }) => (account === undefined ? user : `${account}:${user}`) }),
)
