// The module of the engine as the package ships it: inlined in the bundle for Node.
import { readFileSync } from 'node:fs'

const bundle = readFileSync(new URL('../../pkg/countersign.cjs', import.meta.url), 'utf8')
// Base64 of the first bytes of every WebAssembly file.
const inlined = bundle.match(/(?<=")AGFzbQEAAA[A-Za-z0-9+/=]*(?=")/g) ?? []
if (inlined.length !== 1) throw new Error(`The bundle holds ${inlined.length} modules, and one is expected.`)

export const engine = Buffer.from(inlined[0], 'base64')
