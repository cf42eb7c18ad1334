// For `checkJs`: modules that the tests use without types.

// The tests pass values that the package's types forbid. The types themselves are tested by TypeScript, in
// tests/node/package.test.mjs.
declare module 'countersign'
declare module 'countersign/*'
// The package's file for browsers, at the addresses from which pages load it.
declare module '*/browser.mjs'
// Come with Node 22 and with Bun.
declare module 'node:sqlite'
declare module 'bun:sqlite'
