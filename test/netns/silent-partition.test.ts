import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isAdvertisement, isGratuitousArp } from './lab/frame.js'
import { KeepalivedDirector } from './lab/keepalived.js'
import { ADDRESSES, Lab, macOf, VIP } from './lab/lab.js'
import type { Load } from './lab/load.js'
import { installPairFiles, ON_DIRECTOR, PAIR_DIRECTORY } from './lab/pair-files.js'
import { cannotRun } from './lab/requirements.js'
import { TshaDirector } from './lab/tsha.js'

t.setTimeout(180_000)
/** One network for each pair: they wait for timers, so they run side by side. */
t.jobs = 5

const SETTLE_TIMEOUT_MS = 15_000
/** So many of the client's requests show whether it is served; one whose entry is stale has to wait for 25 s and more. */
const AFTER_MS = 3000
const LIMIT_MS = 1000
/** Keepalived goes without a word if it is the one that is told: only a refresh repairs that. */
const REFRESH = 'garp_master_refresh 1'
/** An interval of the refresh, and the time of a request. */
const REFRESHED_MS = 1200
const PHASES = 5
/** The backup's adverts are 0.65 s, its Skew_Time, behind the master's: from here on it is the next. */
const KEEPALIVED_FIRST = 4

/** In eight hexadecimal digits. */
const VIP_HEX = 'c0a840c8'
/** A new master announces itself five times at once and five times after 5 s. */
const ANNOUNCEMENTS = 10

type Directors = 'tsha' | 'keepalived'

interface Healing {
  /** Milliseconds. */
  readonly outage: number
  /** Whether a master of tsha on director1 heard that there was another one. */
  readonly wasTold: boolean
}

/**
 * Splits the pair and joins it again, with `PHASES` different times between an advertisement of the one
 * director and the joining, so that now the one and now the other is heard first.
 *
 * @param directive for the instance of director1, besides those of the pair's file
 */
async function partitions(
  t: Test,
  one: Directors,
  other: Directors,
  firstPhase: number,
  directive = ''
): Promise<readonly Healing[]> {
  const lab = await Lab.create()
  t.teardown(() => lab.close())
  const make = (product: Directors, name: 'director1' | 'director2') => {
    const role = name === 'director1' ? 'master' : 'backup'
    const Kind = product === 'tsha' ? TshaDirector : KeepalivedDirector
    return new Kind(lab.host(name), role)
  }
  const first = make(one, 'director1')
  await Promise.all([lab.web1.start(), lab.web2.start()])
  const announced = await lab.capture('director1', 'arp')
  if (first instanceof TshaDirector) {
    await installPairFiles(first.host, 'master')
    const conf = await readFile(join(PAIR_DIRECTORY, 'keepalived-master.conf'), 'utf8')
    const changed = conf.replace('advert_int 1', `advert_int 1\n    ${directive}`)
    await first.host.writeFile(ON_DIRECTOR.keepalived, changed)
    await first.startProcess()
  } else {
    await first.start()
  }
  await make(other, 'director2').start()
  await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
  // Those of its start must not repair what the first partition breaks.
  let count = 0
  await announced.packets.waitFor(
    (packet) => isGratuitousArp(packet, VIP_HEX) && (count += 1) === ANNOUNCEMENTS,
    `${ANNOUNCEMENTS} announcements`,
    SETTLE_TIMEOUT_MS
  )
  const capture = await lab.capture('director2', 'ip proto 112')
  const load = await lab.steadyClient({ rate: 50, timeoutMs: 1000 })
  const healings: Healing[] = []
  for (let phase = firstPhase; phase < 2 * PHASES; phase += 2) {
    await expectNeighbour(t, lab, 'director1')
    await lab.filterPort('director1')
    await lab.watch.waitForOwners(['director1', 'director2'], SETTLE_TIMEOUT_MS)
    await expectNeighbour(t, lab, 'director2')
    await capture.packets.waitFor(isAdvertisement, 'advertisement', 5000, capture.packets.mark)
    await new Promise((resolve) => setTimeout(resolve, (phase * 1000) / (2 * PHASES)))
    const at = Date.now()
    const mark = first instanceof TshaDirector ? first.log.mark : 0
    await lab.unfilterPort('director1')
    const outage = await outageAfter(lab, load, at)
    const lines = first instanceof TshaDirector ? first.log.since(mark) : []
    healings.push({ outage, wasTold: lines.some(({ reason }) => reason === 'lower-priority') })
  }
  await load.stop()
  const told = healings.map(({ outage, wasTold }) => `${outage} ms${wasTold ? ' (told)' : ''}`)
  t.comment(`${one} and ${other} ${directive}: outages after healing ${told.join(', ')}`)
  return healings
}

/** The client's longest outage in the time after a moment, and until it is served again. */
async function outageAfter(lab: Lab, load: Load, at: number): Promise<number> {
  await load.waitForAnswer(at + AFTER_MS, 60_000)
  await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
  return Math.round(load.summary(at).outageMs)
}

/** The client has a real entry, made by the announcements: that is what a partition leaves wrong. */
async function expectNeighbour(t: Test, lab: Lab, name: 'director1' | 'director2'): Promise<void> {
  const deadline = Date.now() + 5000
  const wanted = macOf(ADDRESSES[name])
  let found = await lab.host('client').neighbour(VIP)
  while (found !== wanted && Date.now() < deadline) found = await lab.host('client').neighbour(VIP)
  t.equal(found, wanted, `the client believes ${name}`)
}

const options = (...programs: readonly string[]) => ({
  skip: cannotRun('nginx', 'tcpdump', 'tc', ...programs),
  buffered: true
})

/** Together ten healings of two tsha. */
for (const firstPhase of [0, 1])
  void t.test(
    `two tsha, healed ${PHASES} times: an outage of at most 1 s`,
    options(),
    async (t) => {
      for (const { outage } of await partitions(t, 'tsha', 'tsha', firstPhase))
        t.ok(outage <= LIMIT_MS, `${outage} ms`)
    }
  )

void t.test(
  'tsha master, keepalived backup, and keepalived speaks first: an outage of at most 1 s',
  options('keepalived'),
  async (t) => {
    for (const { outage, wasTold } of await partitions(t, 'tsha', 'keepalived', KEEPALIVED_FIRST)) {
      t.ok(wasTold, 'keepalived speaks first')
      t.ok(outage <= LIMIT_MS, `${outage} ms`)
    }
  }
)

void t.test(
  `tsha master, keepalived backup, healed ${PHASES} times: ${REFRESH} bounds the outage in any case`,
  options('keepalived'),
  async (t) => {
    for (const { outage } of await partitions(t, 'tsha', 'keepalived', 0, REFRESH))
      t.ok(outage <= REFRESHED_MS, `${outage} ms`)
  }
)

void t.test(
  `keepalived master, tsha backup, healed ${PHASES} times: an outage of at most 1 s`,
  options('keepalived'),
  async (t) => {
    for (const { outage } of await partitions(t, 'keepalived', 'tsha', 0))
      t.ok(outage <= LIMIT_MS, `${outage} ms`)
  }
)
