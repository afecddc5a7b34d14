import type { Config } from '../config/model.js'
import { TshaError } from '../errors.js'
import { findGroup, findUser } from '../linux/users.js'
import type { AdminChange } from './admin-link.js'

/** The user of the admin process where no other one is configured for the workers. */
const DEFAULT_USER = 'nobody'

/**
 * How the admin process serves and whom it becomes; null when it is not wanted.
 *
 * @throws {TshaError} when there is no such user or group
 */
export async function adminChange(
  { admin, proxy }: Config,
  isRoot: boolean
): Promise<AdminChange | null> {
  if (!admin) return null
  const socketGid = admin.socketGroup === null ? null : await findGroup(admin.socketGroup)
  if (admin.socketGroup !== null && socketGid === null) {
    throw new TshaError('TSHA_E_WORKER', `group ${admin.socketGroup} does not exist`)
  }
  if (!isRoot) return { config: admin, user: null, socketGid }
  const name = proxy?.user ?? DEFAULT_USER
  const user = await findUser(name)
  // It never serves as root.
  if (!user) throw new TshaError('TSHA_E_WORKER', `user ${name} does not exist`)
  return { config: admin, user: { uid: user.uid, gid: user.gid }, socketGid }
}
