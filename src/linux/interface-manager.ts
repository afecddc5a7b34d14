import { readFile } from 'node:fs/promises'

/** Where the services that configure interfaces write down, by interface index, what they manage. */
const RECORDS = [
  { name: 'NetworkManager', folder: '/run/NetworkManager/devices', managed: /^managed=true$/m },
  {
    name: 'systemd-networkd',
    folder: '/run/systemd/netif/links',
    managed: /^ADMIN_STATE=(configuring|configured)$/m
  }
] as const

/**
 * The service that manages an interface, by that service's own record; null when there is none. Who else
 * changes addresses is most likely that one.
 *
 * @param root for tests: what stands before the paths
 */
export async function findInterfaceManager(index: number, root = ''): Promise<string | null> {
  for (const { name, folder, managed } of RECORDS) {
    const text = await readFile(`${root}${folder}/${index}`, 'utf8').catch(() => '')
    if (managed.test(text)) return name
  }
  return null
}
