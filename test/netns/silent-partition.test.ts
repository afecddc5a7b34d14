import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isAdvertisement, isGratuitousArp } from './lab/frame.js'
import { KeepalivedDirector } from './lab/keepalived.js'
import { ADDRESSES, Lab, macOf, VIP } from './lab/lab.js'
import type { LoadSummary } from './lab/load-result.js'
import type { Load } from './lab/load.js'
import { installPairFiles, ON_DIRECTOR, PAIR_DIRECTORY } from './lab/pair-files.js'
import { cannotRun } from './lab/requirements.js'
import { TshaDirector } from './lab/tsha.js'

t.setTimeout(180_000)
/** One network for each pair: they wait for timers, so they run side by side. */
t.jobs = 8

const SETTLE_TIMEOUT_MS = 15_000
const ADVERT_INTERVAL_MS = 1000
/**
 * From the healing and from the end of two masters on, the client's requests show for so long whether it is
 * served; one whose entry is stale has to wait for 25 s and more.
 */
const AFTER_MS = 1500
const LIMIT_MS = 1000
/** Keepalived goes without a word if it is the one that is told: only a refresh repairs that. */
const REFRESH = 'garp_master_refresh 1'
/** An interval of the refresh, and the time of a request. */
const REFRESHED_MS = 1200
/**
 * When the network is healed, in milliseconds after an advertisement of the backup.
 *
 * @param behindMs how long the backup's advertisements come behind the master's
 */
type Moment = (behindMs: number) => number
/** Now the one and now the other is heard first. */
const PHASES: readonly Moment[] = [0, 100, 200, 300, 400, 500, 600, 700, 800, 900].map(
  (phase) => () => phase
)
/** Every `step`-th of them, from the `first` on. */
const everyPhase = (step: number, first: number) =>
  PHASES.filter((_, index) => index % step === first)
/** After an advertisement of the master and before the backup's `count`-th from then on, `share` of the way. */
const backupFirst =
  (count: number, share: number): Moment =>
  (behindMs) =>
    count * ADVERT_INTERVAL_MS - behindMs * (1 - share)
/**
 * The backup's are about 0.65 s, its Skew_Time, behind; a busy machine may take 0.4 s for the healing. The
 * last one is in the fifth second of its mastership: then it announces the address for the second time when
 * it speaks, behind our answer.
 */
const KEEPALIVED_FIRST = [
  backupFirst(1, 0.1),
  backupFirst(1, 0.2),
  backupFirst(1, 0.35),
  backupFirst(4, 0.1)
]

/** A new master announces itself five times at once and five times after 5 s. */
const ANNOUNCEMENTS = 10

type Directors = 'tsha' | 'keepalived'

interface Healing {
  /** Milliseconds. */
  readonly outage: number
  /** What the client saw, and who had the address. */
  readonly story: string
  /** Whether a master of tsha on director1 heard that there was another one. */
  readonly wasTold: boolean
}

/**
 * Splits the pair and joins it again, at each of these moments.
 *
 * @param directive for the instance of director1, besides those of the pair's file
 */
async function partitions(
  t: Test,
  one: Directors,
  other: Directors,
  moments: readonly Moment[],
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
    (packet) => isGratuitousArp(packet, VIP) && (count += 1) === ANNOUNCEMENTS,
    `${ANNOUNCEMENTS} announcements`,
    SETTLE_TIMEOUT_MS
  )
  const sent = await lab.capture('director1', 'ip proto 112')
  const capture = await lab.capture('director2', 'ip proto 112')
  const load = await lab.steadyClient({ rate: 50, timeoutMs: 1000 })
  const healings: Healing[] = []
  for (const moment of moments) {
    await expectNeighbour(t, lab, 'director1')
    await lab.filterPort('director1')
    await lab.watch.waitForOwners(['director1', 'director2'], SETTLE_TIMEOUT_MS)
    await expectNeighbour(t, lab, 'director2')
    const { mark: next } = capture.packets
    const advert = await capture.packets.waitFor(isAdvertisement, 'advertisement', 5000, next)
    const before = sent.packets.entries.findLast(({ at }) => at < advert.at)
    const behindMs = (advert.at - (before?.at ?? 0)) % ADVERT_INTERVAL_MS
    const phase = Math.round(moment(behindMs))
    await new Promise((resolve) => setTimeout(resolve, advert.at + phase - Date.now()))
    const at = Date.now()
    const changes = lab.watch.mark
    const mark = first instanceof TshaDirector ? first.log.mark : 0
    await lab.unfilterPort('director1')
    const { outageMs, failures } = await summaryAfter(lab, load, at)
    const outage = Math.round(outageMs)
    const lines = first instanceof TshaDirector ? first.log.since(mark) : []
    const wasTold = lines.some(({ reason }) => reason === 'lower-priority')
    const moves = lab.watch.changes
      .since(changes)
      .map((change) => `${change.at - at}:${change.host.slice(-1)}${change.owned ? '+' : '-'}`)
    const story = `${outage} ms, ${phase} ms after an advert, ${Math.round(behindMs)} ms behind the master's; ${JSON.stringify(failures)}; ${moves.join(' ')}`
    healings.push({ outage, story, wasTold })
  }
  await load.stop()
  const told = healings.map(({ outage, wasTold }) => `${outage} ms${wasTold ? ' (told)' : ''}`)
  t.comment(`${one} and ${other} ${directive}: outages after healing ${told.join(', ')}`)
  return healings
}

/** What the client saw in the time after a moment, and until it is served again. */
async function summaryAfter(lab: Lab, load: Load, at: number): Promise<LoadSummary> {
  await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
  await load.waitForAnswer(Date.now() + AFTER_MS, 60_000)
  return load.summary(at)
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
for (const first of [0, 1, 2]) {
  const phases = everyPhase(3, first)
  void t.test(
    `two tsha, healed ${phases.length} times: an outage of at most 1 s`,
    options(),
    async (t) => {
      for (const { outage, story } of await partitions(t, 'tsha', 'tsha', phases))
        t.ok(outage <= LIMIT_MS, story)
    }
  )
}

void t.test(
  'tsha master, keepalived backup, and keepalived speaks first: an outage of at most 1 s',
  options('keepalived'),
  async (t) => {
    const healings = await partitions(t, 'tsha', 'keepalived', KEEPALIVED_FIRST)
    for (const { outage, story, wasTold } of healings) {
      t.ok(wasTold, 'keepalived speaks first')
      t.ok(outage <= LIMIT_MS, story)
    }
  }
)

/** Five healings each, over all phases. */
for (const first of [0, 2]) {
  const phases = everyPhase(4, first)
  void t.test(
    `tsha master, keepalived backup, healed ${phases.length} times: ${REFRESH} bounds the outage in any case`,
    options('keepalived'),
    async (t) => {
      for (const { outage, story } of await partitions(t, 'tsha', 'keepalived', phases, REFRESH))
        t.ok(outage <= REFRESHED_MS, story)
    }
  )

  void t.test(
    `keepalived master, tsha backup, healed ${phases.length} times: an outage of at most 1 s`,
    options('keepalived'),
    async (t) => {
      for (const { outage, story } of await partitions(t, 'keepalived', 'tsha', phases))
        t.ok(outage <= LIMIT_MS, story)
    }
  )
}
