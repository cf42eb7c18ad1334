// The packages stand in this folder, whatever the folders above it hold.
export default { turbopack: { root: import.meta.dirname }, outputFileTracingRoot: import.meta.dirname }
