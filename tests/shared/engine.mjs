// The module of the engine as the package ships it: a file for edge workers, and inlined in the bundle for Node.
import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'

export const engine = readFileSync(new URL('../../pkg/engine.wasm', import.meta.url))

const bundle = readFileSync(new URL('../../pkg/countersign.cjs', import.meta.url), 'utf8')
// No other text of the bundle is as long.
const inlined = bundle.match(/(?<=")[A-Za-z0-9+/=]{100000,}(?=")/g) ?? []
if (inlined.length !== 1) throw new Error(`The bundle holds ${inlined.length} modules, and one is expected.`)

export const inlinedEngine = brotliDecompressSync(Buffer.from(inlined[0], 'base64'))
