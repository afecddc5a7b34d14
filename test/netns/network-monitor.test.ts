import t from 'tap'
import { monotonicNow } from '../../src/linux/clock.js'
import { readInterface } from '../../src/linux/interface.js'
import { NetworkMonitor } from '../../src/linux/network-monitor.js'
import { Arrivals, enterOwnNetwork, ip, layCable } from './lab/own-network.js'
import { childrenOf, commandLineOf, familyOf, signalProcess } from './lab/process-tree.js'
import { cannotRun } from './lab/requirements.js'

/** What the requirement is; the neighbours of a test machine get some of it. */
const PROMPT_MS = 100

interface Told {
  readonly text: string
  readonly at: number
}

await t.test('one process watches links and addresses', { skip: cannotRun() }, async (t) => {
  enterOwnNetwork()
  layCable('near', 'far')
  layCable('other', 'others')
  ip('addr add 10.0.0.1/24 dev near')
  const told = new Arrivals<Told>()
  const failures: string[] = []
  const monitor = new NetworkMonitor((message) => void failures.push(message))
  t.teardown(() => {
    monitor.close()
  })
  const watch = async (name: string): Promise<() => void> => {
    const say = (text: string, at = monotonicNow()): void => {
      told.add({ text: `${name} ${text}`, at })
    }
    return monitor.watch(await readInterface(name), {
      linkChanged: (isUp) => {
        say(isUp ? 'up' : 'down')
      },
      addressChanged: ({ kind, address, prefixLength, interface: device, at }) => {
        say(`${kind} ${address}/${prefixLength} ${device}`, at)
      },
      gone: () => {
        say('gone')
      }
    })
  }
  /** Waits until it is told, and returns how long that took; what was told before is forgotten. */
  const after = async (change: () => void, text: string): Promise<number> => {
    told.all.splice(0)
    const from = monotonicNow()
    change()
    const { at } = await told.first((each) => each.text === text, text)
    return at - from
  }
  await watch('near')
  await watch('other')

  await t.test('an address that comes and goes, within 100 ms', async (t) => {
    // The first change may come before `ip monitor` listens; then the reading finds it.
    await after(() => ip('addr add 10.0.0.5/24 dev near'), 'near added 10.0.0.5/24 near')
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const removed = 'near removed 10.0.0.5/24 near'
      times.push(await after(() => ip('addr del 10.0.0.5/24 dev near'), removed))
      const added = 'near added 10.0.0.5/24 near'
      times.push(await after(() => ip('addr add 10.0.0.5/24 dev near'), added))
    }
    times.sort((a, b) => a - b)
    t.ok(
      (times[5] ?? Infinity) < PROMPT_MS,
      `median ${times[5]?.toFixed(1) ?? ''} ms, with ip's own`
    )
  })

  await t.test('of IPv6 as well', async () => {
    await after(() => ip('addr add fd00::5/64 dev other nodad'), 'other added fd00::5/64 other')
    await after(() => ip('addr del fd00::5/64 dev other'), 'other removed fd00::5/64 other')
  })

  await t.test('a lease that is renewed is nothing new', async (t) => {
    ip('addr replace 10.0.0.6/24 dev near valid_lft 60 preferred_lft 60')
    await told.first(({ text }) => text === 'near added 10.0.0.6/24 near', 'the address')
    await after(
      () =>
        ip(
          'addr replace 10.0.0.6/24 dev near valid_lft 60 preferred_lft 60',
          'addr add 10.0.0.7/24 dev near'
        ),
      'near added 10.0.0.7/24 near'
    )
    t.strictSame(
      told.all.map(({ text }) => text),
      ['near added 10.0.0.7/24 near']
    )
  })

  await t.test('a lease that ends is told', async () => {
    await after(
      () => ip('addr add 10.0.0.8/24 dev near valid_lft 1 preferred_lft 1'),
      'near added 10.0.0.8/24 near'
    )
    await told.first(({ text }) => text === 'near removed 10.0.0.8/24 near', 'the end')
  })

  await t.test('a carrier that is lost and found, of one interface only', async (t) => {
    const lost = await after(() => ip('link set far down'), 'near down')
    const found = await after(() => ip('link set far up'), 'near up')
    t.ok(lost < PROMPT_MS, `lost: ${lost.toFixed(1)} ms`)
    t.ok(found < PROMPT_MS, `found: ${found.toFixed(1)} ms`)
    t.notOk(told.all.some(({ text }) => text.startsWith('other')))
  })

  await t.test('an interface that leaves a bridge has not gone', async (t) => {
    ip('link add bridge0 type bridge', 'link set other master bridge0')
    await after(
      () => ip('link set other nomaster', 'addr add 10.0.0.9/24 dev other'),
      'other added 10.0.0.9/24 other'
    )
    await after(() => ip('addr del 10.0.0.9/24 dev other'), 'other removed 10.0.0.9/24 other')
    t.notOk(told.all.some(({ text }) => /other (down|gone)/.test(text)))
  })

  await t.test('when ip monitor dies, what was missed is read', async (t) => {
    const watcher = familyOf(process.pid).find((pid) => /^ip .*monitor/.test(commandLineOf(pid)))
    await after(() => {
      signalProcess(watcher ?? 0, 'SIGKILL')
      ip('addr add 10.0.0.10/24 dev near', 'addr del 10.0.0.5/24 dev near', 'link set far down')
    }, 'near down')
    t.strictSame(
      new Set(told.all.map(({ text }) => text)),
      new Set(['near added 10.0.0.10/24 near', 'near removed 10.0.0.5/24 near', 'near down'])
    )
    t.strictSame(failures, ['ip monitor ended; watching the network again every 1000 ms'])
  })

  await t.test('what is not watched any more is not told', async (t) => {
    const end = await watch('lo')
    end()
    await after(
      () => ip('link set lo up', 'addr add 10.0.0.11/24 dev near'),
      'near added 10.0.0.11/24 near'
    )
    t.notOk(told.all.some(({ text }) => text.startsWith('lo')))
  })

  await t.test('an interface that is deleted and made again has gone', async (t) => {
    await after(() => ip('link set far up'), 'near up')
    await after(() => {
      ip('link del near')
      layCable('near', 'far')
    }, 'near gone')
    t.ok(told.all.some(({ text }) => text === 'near down'))
    told.all.splice(0)
    ip('addr add 10.0.0.12/24 dev near', 'addr add 10.0.0.13/24 dev other')
    await told.first(({ text }) => text.startsWith('other added'), 'the mark')
    t.notOk(
      told.all.some(({ text }) => text.startsWith('near')),
      'that was the last word'
    )
  })

  await t.test('its processes end with it', async (t) => {
    const own = (): number[] =>
      childrenOf(process.pid).filter((pid) => commandLineOf(pid).includes('monitor'))
    const family = own().flatMap((pid) => [pid, ...childrenOf(pid)])
    t.equal(family.length, 2, 'a shell and an ip, for every interface')
    monitor.close()
    while (family.some((pid) => commandLineOf(pid) !== '')) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    t.strictSame(own(), [])
  })
})
