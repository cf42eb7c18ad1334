import { auth } from '../../auth.js'
import { transfer } from '../actions.js'

export default async () => (
  <form action={transfer}>
    The account of {(await auth.person()).user} <input type="submit" value="Transfer" />
  </form>
)
