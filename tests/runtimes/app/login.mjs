// A program that runs the suite.
import { conformance } from './suite.mjs'

conformance('short').then((result) => console.log(JSON.stringify(result)))
