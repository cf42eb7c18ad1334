// For `checkJs`: modules that the tests use without types.

// The tests pass values that the package's types forbid. The types themselves are tested by TypeScript, in
// tests/node/package.test.mjs.
declare module 'countersign'
declare module 'countersign/adapter'
declare module 'countersign/better-auth'
declare module 'countersign/browser'
declare module 'countersign/express'
declare module 'countersign/fastify'
declare module 'countersign/hono'
declare module 'countersign/nestjs'
declare module 'countersign/next'
declare module 'countersign/oidc-provider'
declare module 'countersign/notices'
declare module 'countersign/operator'
declare module 'countersign/passport'
declare module 'countersign/storage-api'
declare module 'countersign/stores/drizzle'
declare module 'countersign/stores/kysely'
declare module 'countersign/stores/mysql'
declare module 'countersign/stores/postgres'
declare module 'countersign/stores/redis'
declare module 'countersign/stores/sqlite'
declare module 'countersign/testing'
declare module 'countersign/testing/store'
// The package's file for browsers, at the addresses from which pages load it.
declare module '*/browser.mjs'
// Come with Node 22 and with Bun.
declare module 'node:sqlite'
declare module 'bun:sqlite'
// The frameworks of tests/adapters, which are installed when that group runs.
declare module '@fastify/*'
