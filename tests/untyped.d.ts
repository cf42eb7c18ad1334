// For `checkJs`: modules whose types are of no use here.

// The tests hand the package what its types forbid. That the types hold is tested with TypeScript itself, in
// tests/node/package.test.mjs.
declare module 'countersign'
declare module 'countersign/browser'
declare module 'countersign/storage-api'
declare module 'countersign/testing'
// The package's file for browsers, by the addresses that pages load it from.
declare module '*/browser.mjs'
// Comes with Node 22; where it is missing, its tests are not made.
declare module 'node:sqlite'
