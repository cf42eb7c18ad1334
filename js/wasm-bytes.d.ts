// The build inlines the module, packed by brotli: no file to lose when a host bundles us.
interface String {
  /** ES2024, and in every Node that we run on. */
  isWellFormed(): boolean
}

declare module '*.wasm' {
  const packed: Uint8Array
  export default packed
}

// The bundler of an edge worker compiles the file.
declare module '*.wasm?module' {
  const module: WebAssembly.Module
  export default module
}
