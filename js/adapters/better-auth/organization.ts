// The right to rescue another user, by the organization plugin of better-auth: an owner helps a member. A user may be a member of many
// organizations, and has one second factor: only someone who owns all of them may take it back. A membership outlives the proof of an
// address: a stranger who signed up with it could have accepted an invitation before, or have made an organization with another owner.
import type { HostUser } from '../../adapter.js'
import { provesAddresses } from './enrollment.js'
import type { AuthContext, AuthDatabase } from './types.js'

/** Whether a user owns every organization that another one is a member of. With an account, that organization alone counts. */
export async function isOwnerOf({ adapter, options }: AuthContext, owner: HostUser, user: string): Promise<boolean> {
  if (!hasOrganizations({ options }) || !provesMembers({ options })) return false
  const [own, others] = await Promise.all([membershipsOf(adapter, owner.user), membershipsOf(adapter, user)])
  if (own === undefined || others === undefined) return false
  const owned = new Set(own.filter(({ role }) => isOwner(role)).map(({ organizationId }) => organizationId))
  const theirs = others.map(({ organizationId }) => organizationId)
  if (owner.account !== undefined) return theirs.includes(owner.account) && owned.has(owner.account)
  return theirs.length > 0 && theirs.every((organization) => owned.has(organization))
}

const pluginOf = ({ plugins }: AuthContext['options']) => plugins?.find(({ id }) => id === 'organization')

/** Whether better-auth has the organization plugin. */
export const hasOrganizations = ({ options }: Pick<AuthContext, 'options'>): boolean => pluginOf(options) !== undefined

/** Whether nobody becomes a member before they have proven their address, where they can. */
export function provesMembers({ options }: Pick<AuthContext, 'options'>): boolean {
  if (!provesAddresses(options)) return true
  const { enabled, requireEmailVerification } = options.emailAndPassword ?? {}
  return (
    (enabled !== true || requireEmailVerification === true) &&
    pluginOf(options)?.options?.requireEmailVerificationOnInvitation === true
  )
}

/** Rows of a page, and the most rows that are read. */
const [PAGE, MOST] = [500, 10_000]

/** All memberships of a user, or none where they are too many: an organization that is left out would not be asked about. */
async function membershipsOf(adapter: AuthDatabase, user: string): Promise<Record<string, unknown>[] | undefined> {
  const where = [{ field: 'userId', value: user }]
  const sortBy = { field: 'id', direction: 'asc' } as const
  const rows: Record<string, unknown>[] = []
  while (rows.length <= MOST) {
    // An adapter may give less than it was asked for, so that a short page is not the last one.
    const page = await adapter.findMany({ model: 'member', where, sortBy, limit: PAGE, offset: rows.length })
    if (page.length === 0) return rows
    rows.push(...page)
  }
  return undefined
}

/** better-auth keeps the roles of a member as one text. */
const isOwner = (role: unknown) =>
  String(role)
    .split(',')
    .some((name) => name.trim() === 'owner')
