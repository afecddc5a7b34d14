import { readFile, writeFile } from 'node:fs/promises'
import { messageOf } from '../errors.js'

const CONF = '/proc/sys/net/ipv4/conf'

/**
 * Tells the kernel to keep the other IPv4 addresses of a network on an interface when its first one is
 * removed (keepalived's promote_secondaries). It stays so.
 *
 * @returns why the kernel or the sandbox of the service refuses; null when it is so now. Never rejects.
 */
export async function promoteSecondaries(
  interfaceName: string,
  folder = CONF
): Promise<string | null> {
  const file = `${folder}/${interfaceName}/promote_secondaries`
  try {
    // Where it is so already, nothing has to be permitted.
    if ((await readFile(file, 'latin1')).trim() !== '0') return null
    await writeFile(file, '1\n')
    return null
  } catch (error) {
    return messageOf(error)
  }
}
