// The same where Node runs the tests of a page: there is no server to fetch from. The build for Node takes this file in place of
// `module-file.ts`.
import type * as page from './module-file.js'

/** Its bytes, or the address that a bundler made of this script's place where there is no Node. */
export const moduleFile = (): Uint8Array<ArrayBuffer> | ReturnType<typeof page.moduleFile> => {
  const fs = globalThis.process?.getBuiltinModule?.('node:fs')
  const file = `${__dirname}/countersign.wasm`
  return fs === undefined ? new URL(file, 'file:') : (fs.readFileSync(file) as Uint8Array<ArrayBuffer>)
}
