// The suite in a route of Node's.
import { conformance } from '../../suite.mjs'

export const dynamic = 'force-dynamic'
export const GET = async () => Response.json(await conformance('short'))
