// jsdom has neither TextDecoder nor TextEncoder: where a page is tested in it, both come from Node. The build puts these two in
// the place of the globals of the same names.
const fromNode = () => globalThis.process?.getBuiltinModule?.('node:util')

const Decoder = globalThis.TextDecoder ?? fromNode()?.TextDecoder
const Encoder = globalThis.TextEncoder ?? fromNode()?.TextEncoder

export { Decoder as TextDecoder, Encoder as TextEncoder }
