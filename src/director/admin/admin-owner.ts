import { stat } from 'node:fs/promises'
import type { Config } from '../../config/model.js'
import { TshaError } from '../../errors.js'
import { findGroup, findUser } from '../../linux/users.js'
import type { AdminChange } from './admin-link.js'

/** The user of the admin process where no other one is configured for the workers. */
const DEFAULT_USER = 'nobody'

/** How an admin process serves. */
export interface AdminPlan {
  readonly change: AdminChange
  /** One for each file that it reads at its start; another one after the file was written. */
  readonly marks: readonly string[]
}

/**
 * How the admin process serves and whom it becomes; null when it is not wanted.
 *
 * @throws {TshaError} when there is no such user or group
 */
export async function adminPlan(config: Config, isRoot: boolean): Promise<AdminPlan | null> {
  const change = await adminChange(config, isRoot)
  if (change === null) return null
  const { listen } = change.config
  const { tls = null } = listen ?? {}
  const files = [...(listen ? [listen.tokenFile] : []), ...(tls ? [tls.certificate, tls.key] : [])]
  return { change, marks: await Promise.all(files.map(markOf)) }
}

/** The director never reads what is in them: whatever was done to a file changes one of these. */
async function markOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join()
  } catch {
    // The process tells what is wrong with it.
    return 'unreadable'
  }
}

async function adminChange({ admin, proxy }: Config, isRoot: boolean): Promise<AdminChange | null> {
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
