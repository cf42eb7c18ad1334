// Opens the store that the environment names: STORE_KIND is one of ../once/kinds.mjs, STORE_ADDRESS its address as JSON.
import { KINDS } from '../once/kinds.mjs'

export default () => KINDS[process.env.STORE_KIND](JSON.parse(process.env.STORE_ADDRESS))
