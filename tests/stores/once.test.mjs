// A code works once, on each server, whatever comes at once. scripts/once.mjs runs more rounds, by hand.
import { onceTests } from './once/tests.mjs'

onceTests(1)
