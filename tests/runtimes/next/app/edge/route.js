// The suite in a route of the edge runtime.
import { conformance } from '../../suite.mjs'

export const runtime = 'edge'
export const GET = async () => Response.json(await conformance('short'))
