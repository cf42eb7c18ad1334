// A code works once, on each server, whatever comes at once. The long group runs more rounds.
import { onceTests } from './once/tests.mjs'

onceTests(1)
