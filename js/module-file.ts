// The module of a page, beside the script that this file becomes a part of.

/** Its address. */
export const moduleFile = () => new URL('countersign.wasm', import.meta.url)
