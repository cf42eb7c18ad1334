// The right to rescue another user, by the organization plugin of better-auth: an owner helps a member. A user may be a member of many
// organizations, and has one second factor: only someone who owns all of them may take it back.
import type { HostUser } from '../adapter.js'
import type { AuthContext } from './better-auth-types.js'

/** Whether a user owns every organization that another one is a member of. With an account, that organization alone counts. */
export async function isOwnerOf({ adapter, options }: AuthContext, owner: HostUser, user: string): Promise<boolean> {
  if (!options.plugins?.some(({ id }) => id === 'organization')) return false
  const rows = (userId: string) =>
    adapter.findMany({ model: 'member', where: [{ field: 'userId', value: userId }], limit: 1_000 })
  const [own, others] = await Promise.all([rows(owner.user), rows(user)])
  const owned = new Set(own.filter(({ role }) => isOwner(role)).map(({ organizationId }) => organizationId))
  const theirs = others.map(({ organizationId }) => organizationId)
  if (owner.account !== undefined) return theirs.includes(owner.account) && owned.has(owner.account)
  return theirs.length > 0 && theirs.every((organization) => owned.has(organization))
}

/** better-auth keeps the roles of a member as one text. */
const isOwner = (role: unknown) =>
  String(role)
    .split(',')
    .some((name) => name.trim() === 'owner')
