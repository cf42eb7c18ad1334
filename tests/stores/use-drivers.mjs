// For `node --import`: examples/login finds the drivers of this folder, as if somebody had installed them there.
import { register } from 'node:module'

const hook = `export const resolve = (name, context, next) =>
  next(name, /^(pg|mysql2\\/promise|redis)$/.test(name) ? { ...context, parentURL: ${JSON.stringify(import.meta.url)} } : context)`

register(`data:text/javascript,${encodeURIComponent(hook)}`)
