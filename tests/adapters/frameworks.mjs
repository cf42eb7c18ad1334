// Lets the examples find the frameworks that are installed for these tests: `node --import` it.
import { register } from 'node:module'

const hook = `
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || /^[./]|:/.test(specifier)) throw error
    return next(specifier, { ...context, parentURL: ${JSON.stringify(import.meta.url)} })
  }
}`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
