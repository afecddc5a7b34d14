import t from 'tap'
import { InterfaceWatch } from '../../../src/director/elections/interface-watch.js'
import { NetworkMonitor } from '../../../src/linux/network-monitor.js'
import { Arrivals, enterOwnNetwork, ip, layCable } from '../../netns/lab/own-network.js'
import { childrenOf, signalProcess } from '../../netns/lab/process-tree.js'
import { cannotRun } from '../../netns/lab/requirements.js'

await t.test('interfaces are followed by name', { skip: cannotRun() }, async (t) => {
  enterOwnNetwork()
  layCable('near', 'far')
  const told = new Arrivals<string>()
  const monitor = new NetworkMonitor(() => undefined)
  const watch = new InterfaceWatch(monitor, [], (name, isUp) => {
    told.add(`${name} ${isUp ? 'up' : 'down'}`)
  })
  t.teardown(() => {
    watch.close()
    monitor.close()
  })
  /** Waits until it is told, and returns everything that was told by then. */
  const after = async (change: () => void, text: string): Promise<readonly string[]> => {
    told.all.splice(0)
    change()
    await told.first((each) => each === text, text)
    return [...told.all]
  }

  await t.test('the state of each is told when it is opened', async (t) => {
    await watch.open(['near', 'later'])
    t.strictSame([...told.all].sort(), ['later down', 'near up'])
  })

  await t.test('one that comes later is found', async (t) => {
    // It is looked for every second: what has not changed is not told again and again.
    const come = (): void =>
      void ip('link add later type veth peer name other', 'link set other up', 'link set later up')
    t.strictSame(await after(come, 'later up'), ['later up'])
  })

  await t.test('one that goes and comes back as another is followed again', async (t) => {
    t.strictSame(await after(() => void ip('link del later'), 'later down'), ['later down'])
    const come = (): void =>
      void ip('link add later type veth peer name other', 'link set other up', 'link set later up')
    t.strictSame(await after(come, 'later up'), ['later up'])
    t.strictSame(await after(() => void ip('link set later down'), 'later down'), ['later down'])
    t.strictSame(await after(() => void ip('link set later up'), 'later up'), ['later up'])
  })

  await t.test('a change while the monitor is not there is told when it is back', async (t) => {
    const [shell = 0] = childrenOf(process.pid)
    const change = (): void => {
      signalProcess(shell, 'SIGKILL')
      ip('link set far down')
    }
    t.strictSame(await after(change, 'near down'), ['near down'])
  })

  await t.test('nothing is told after it was closed', async (t) => {
    watch.close()
    const other = new Arrivals<string>()
    const second = new InterfaceWatch(monitor, [], (name, isUp) => {
      other.add(`${name} ${isUp ? 'up' : 'down'}`)
    })
    t.teardown(() => {
      second.close()
    })
    await second.open(['later'])
    told.all.splice(0)
    ip('link set later down')
    await other.first((each) => each === 'later down', 'change')
    t.strictSame(told.all, [])
  })
})
