import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { findInterfaceManager } from '../../src/linux/interface-manager.js'

t.test('the service that manages an interface is named by its own record', async (t) => {
  const root = t.testdir()
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(`${root}${path}`), { recursive: true })
    writeFileSync(`${root}${path}`, text)
  }
  write('/run/NetworkManager/devices/2', '[device]\nmanaged=true\nnm-owned=false\n')
  write('/run/NetworkManager/devices/3', '[device]\nmanaged=false\n')
  write('/run/systemd/netif/links/3', 'ADMIN_STATE=configured\nOPER_STATE=routable\n')
  write('/run/systemd/netif/links/4', 'ADMIN_STATE=unmanaged\n')
  const found = await Promise.all([2, 3, 4, 5].map((index) => findInterfaceManager(index, root)))
  t.strictSame(found, ['NetworkManager', 'systemd-networkd', null, null])
})
