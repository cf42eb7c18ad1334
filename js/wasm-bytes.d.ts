// The build inlines the module: no file to lose when a host bundles us.
interface String {
  /** ES2024, and in every Node that we run on. */
  isWellFormed(): boolean
}

declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>
  export default bytes
}
