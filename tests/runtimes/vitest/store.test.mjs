// The kit that proves a store, as the tests of a host have it.
import { proveStore } from 'countersign/testing/store'
import { test } from 'vitest'
import open from './file-store.cjs'

proveStore({ test, open, module: new URL('./file-store.cjs', import.meta.url) })
