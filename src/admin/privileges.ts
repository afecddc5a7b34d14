/**
 * Gives up root for good: supplementary groups, group, then user. Does nothing if the process is not
 * root or `user` is null.
 *
 * @throws the system's error when it is refused
 */
export function becomeUser(user: { readonly uid: number; readonly gid: number } | null): void {
  const { geteuid, setgroups, setgid, setuid } = process
  if (user === null || geteuid?.() !== 0) return
  if (!setgroups || !setgid || !setuid) throw new Error('not a POSIX system')
  setgroups([])
  setgid(user.gid)
  setuid(user.uid)
}
