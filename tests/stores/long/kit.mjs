// The conformance kit on the store that the environment names. kit.test.mjs runs it, once for each server.
import { test } from 'node:test'
import { proveStore } from 'countersign/testing/store'
import open from './kit-open.mjs'

proveStore({ test, open, module: new URL('./kit-open.mjs', import.meta.url) })
