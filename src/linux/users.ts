import { readFile } from 'node:fs/promises'

/** A user of this machine. */
export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Whether this process may become anybody. */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Looks a user up in /etc/passwd; null when there is none of that name. */
export async function findUser(name: string): Promise<User | null> {
  const fields = await findEntry('/etc/passwd', name)
  return fields ? { name, uid: Number(fields[2]), gid: Number(fields[3]) } : null
}

/** The id of a group in /etc/group; null when there is none of that name. */
export async function findGroup(name: string): Promise<number | null> {
  const fields = await findEntry('/etc/group', name)
  return fields ? Number(fields[2]) : null
}

/** The name of a group in /etc/group; null when there is none with that id. */
export async function findGroupName(gid: number): Promise<string | null> {
  const text = await readFile('/etc/group', 'utf8')
  const line = text.split('\n').find((entry) => entry.split(':')[2] === String(gid))
  return line?.split(':')[0] ?? null
}

async function findEntry(file: string, name: string): Promise<readonly string[] | null> {
  const text = await readFile(file, 'utf8')
  const line = text.split('\n').find((entry) => entry.startsWith(`${name}:`))
  return line?.split(':') ?? null
}
