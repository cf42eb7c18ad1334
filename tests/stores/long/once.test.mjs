// A code works once, on each server, whatever comes at once.
import { onceTests } from '../once/tests.mjs'

onceTests(3)
