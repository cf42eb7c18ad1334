// The kit that proves a store, as the tests of a host have it.
const { proveStore } = require('countersign/testing/store')
const open = require('./file-store.cjs')

proveStore({ test, open, module: require.resolve('./file-store.cjs') })
