// The build inlines the module: no file to lose when a host bundles us.
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>
  export default bytes
}
