import { signIn } from '../actions.js'

export default async ({ searchParams }) => (
  <form action={signIn}>
    <input name="name" /> <input name="password" type="password" /> <input type="submit" value="Sign in" />
    <input name="next" type="hidden" value={(await searchParams).next ?? ''} />
  </form>
)
