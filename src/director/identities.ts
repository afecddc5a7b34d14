import { findGroup, findUser } from '../linux/users.js'

/** keepalived runs its scripts as this user where it exists. */
const SCRIPT_USER = 'keepalived_script'

/** Whom a program is to be run as, by name; null stands for the default. */
export interface Wish {
  readonly user: string | null
  readonly group: string | null
}

/** The same by number; undefined keeps ours. */
export interface Identity {
  readonly uid: number | undefined
  readonly gid: number | undefined
  /** Why nothing can be run as that user. */
  readonly obstacle?: string
}

/** Who each program runs as. */
export type IdentityOf = (wish: Wish) => Identity

const OURS: Identity = { uid: undefined, gid: undefined }

/**
 * Looks the users and groups of programs up, once. As in keepalived the group is the user's unless one
 * is named, and without a user it is `keepalived_script` where that exists, else ours; a director that
 * does not run as root cannot change to it.
 */
export async function findIdentities(
  wishes: readonly Wish[],
  isRoot: boolean
): Promise<IdentityOf> {
  const found = new Map<string, Identity>()
  for (const wish of wishes) found.set(keyOf(wish), await findIdentity(wish, isRoot))
  return (wish) => found.get(keyOf(wish)) ?? OURS
}

async function findIdentity({ user, group }: Wish, isRoot: boolean): Promise<Identity> {
  const account = await findUser(user ?? SCRIPT_USER)
  if (user === null) {
    const isWanted = account !== null && isRoot
    return isWanted
      ? withGroup({ uid: account.uid, gid: account.gid }, group)
      : withGroup(OURS, group)
  }
  if (!account) return { ...OURS, obstacle: `user ${user} does not exist` }
  if (account.uid === process.getuid?.() && !isRoot) return OURS
  return withGroup({ uid: account.uid, gid: account.gid }, group)
}

async function withGroup(identity: Identity, group: string | null): Promise<Identity> {
  if (group === null) return identity
  const gid = await findGroup(group)
  return gid === null
    ? { ...identity, obstacle: `group ${group} does not exist` }
    : { ...identity, gid }
}

function keyOf({ user, group }: Wish): string {
  return JSON.stringify([user, group])
}
