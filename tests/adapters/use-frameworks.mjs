// The adapters in pkg/ find the frameworks of this folder, as if somebody had installed the package here.
import { register } from 'node:module'

const hook = `export const resolve = (name, context, next) =>
  next(name, /^@?better-auth\\//.test(name) && context.parentURL?.includes('/pkg/') ? { ...context, parentURL: ${JSON.stringify(import.meta.url)} } : context)`

register(`data:text/javascript,${encodeURIComponent(hook)}`)
