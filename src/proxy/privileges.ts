import { userInfo } from 'node:os'

/**
 * Gives up root for good: supplementary groups, group, then user. Does nothing if the process is not
 * root or `user` is null.
 * @param group null is the user's own group
 * @throws the system's error if the user or group does not exist or the change is refused
 */
export function dropPrivileges(user: string | null, group: string | null): void {
  const system: NodeJS.Process & { initgroups?: InitGroups } = process
  const { geteuid, seteuid, initgroups, setgid, setuid } = system
  if (user === null || geteuid?.() !== 0) return
  if (!seteuid || !initgroups || !setgid || !setuid) throw new Error('not a POSIX system')
  // userInfo() asks the system's user database for the effective user, and so knows its group.
  seteuid(user)
  const own = userInfo().gid
  seteuid(0)
  initgroups(user, group ?? own)
  setgid(group ?? own)
  setuid(user)
}

/** In Node since 0.9, but missing from its type definitions. */
type InitGroups = (user: string, extraGroup: string | number) => void
