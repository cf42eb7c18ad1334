'use server'
import { redirect } from 'next/navigation'
import { auth, checkPassword } from '../auth.js'

export async function signIn(form) {
  const user = await checkPassword(Object.fromEntries(form))
  if (user === undefined) redirect('/sign-in?reason=wrong_password')
  await auth.loginInAction({ user, next: form.get('next') })
}

export const transfer = auth.action({ maxAge: 300 }, async (person) => redirect(`/account?sent_by=${person.user}`))
