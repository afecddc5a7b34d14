import { ADDRESSES, VIP, type Lab } from '../lab/lab.js'
import type { Load } from '../lab/load.js'
import type { LoadSummary } from '../lab/load-result.js'
import { isStateChange, type LogLine, type TshaDirector } from '../lab/tsha.js'
import { TSHA_COMMAND } from '../lab/pair-files.js'
import type { Terminal } from './terminal.js'

/** Requests per second of the client that asks all through the story, each on a fresh connection. */
const RATE = 100
const CLIENT_TIMEOUT_MS = 1000
const SETTLE_TIMEOUT_MS = 15_000
/** How long the client is watched after the last event of a chapter. */
const AFTERMATH_MS = 1500
const STATUS_INTERVAL_MS = 200
/** The line of `tsha status` with which its tables begin. */
const TABLES = 'Virtual routers'

/** The longest time without an answer that each disturbance may cost, in milliseconds. */
const OUTAGE_LIMITS_MS = { proxy: 1500, stop: 1500, back: 500, web: 500 } as const

/** Who is who in the story. */
export interface Cast {
  readonly lab: Lab
  readonly master: TshaDirector
  readonly backup: TshaDirector
}

/** A chapter in which something is done to the pair and the client tells what it felt of it. */
interface Disturbance {
  readonly title: string
  readonly host: string
  readonly typed: string
  /** Returns the moment before it was done. */
  readonly act: () => Promise<number>
  /** Resolves when what an administrator waits for has happened. */
  readonly settled: (at: number) => Promise<void>
  readonly outageLimitMs: number
  /** No request may fail at all. */
  readonly flawless?: boolean
  /** The answers that the client gets in the end; both web servers', if not told. */
  readonly answers?: readonly string[]
  /** For the verdict: what has come out. */
  readonly outcome: string
  /** How long the pair that tsha replaces takes, if it was measured. */
  readonly before?: string
  /** Afterwards the directors are asked why. */
  readonly explained?: boolean
}

/** The story of the pair, told on a terminal while it happens. */
export class Story {
  readonly #cast: Cast
  readonly #terminal: Terminal
  #chapter = 0
  #failures = 0
  #cause: number | null = null
  #load: Load | null = null

  constructor(cast: Cast, terminal: Terminal) {
    this.#cast = cast
    this.#terminal = terminal
    const { lab, master, backup } = cast
    lab.watch.changes.follow((change) => {
      const verb = change.owned ? 'now has' : 'gave away'
      this.#happened(change.at, `${change.host} ${verb} ${terminal.style('bold', VIP)}`)
    })
    for (const director of [master, backup]) {
      director.log.follow((line) => {
        if (isStateChange(line)) this.#tellStateChange(director.host.name, line)
      })
    }
  }

  /** How many chapters did not end as an administrator expects. */
  get failures(): number {
    return this.#failures
  }

  /** Starts everything, until the master has the address. */
  async begin(): Promise<void> {
    const { lab, master, backup } = this.#cast
    this.#next('Both directors start, with the files of keepalived and nginx')
    this.#terminal.typed('director1', master.command)
    this.#terminal.typed('director2', backup.command)
    await Promise.all([lab.web1.start(), lab.web2.start()])
    this.#cause = Date.now()
    await master.start()
    await backup.start()
    await lab.watch.waitForOwners(['director1'], SETTLE_TIMEOUT_MS)
    this.#cause = null
    this.#judge(true, 'the master won the election')
  }

  /** From now on tells whatever happens, with the time since now. */
  watch(): void {
    this.#cause = Date.now()
  }

  /** Plays everything an administrator tries on a new pair. */
  async play(): Promise<void> {
    await this.begin()
    await this.#showOwner()
    await this.#showAnswers()
    this.#next('Is it well? (tsha status begins with what matters; tables follow)')
    await this.#ask('status')
    this.#terminal.answer(
      `From here on the client asks all the time: ${RATE} requests per second, a fresh connection each.`
    )
    this.#load = await this.#cast.lab.steadyClient({ rate: RATE, timeoutMs: CLIENT_TIMEOUT_MS })
    const status = setInterval(() => {
      this.#showStatus()
    }, STATUS_INTERVAL_MS)
    try {
      for (const disturbance of this.#disturbances()) await this.#disturb(disturbance)
    } finally {
      clearInterval(status)
      this.#terminal.status('')
    }
    await this.#end(await this.#load.stop())
  }

  #disturbances(): readonly Disturbance[] {
    const { lab, master, backup } = this.#cast
    const owned = (host: string) => async (): Promise<void> => {
      await lab.watch.waitForOwners([host], SETTLE_TIMEOUT_MS)
    }
    const now = async (action: Promise<void>): Promise<number> => {
      const at = Date.now()
      await action
      return at
    }
    const by = backup.host.name
    return [
      {
        title: 'web1 is stopped',
        host: 'web1',
        typed: 'systemctl stop nginx',
        act: () => now(lab.web1.stop()),
        settled: async (at) => {
          await this.#load?.waitForAnswer(at + 500, SETTLE_TIMEOUT_MS, lab.web2.answer)
        },
        outageLimitMs: OUTAGE_LIMITS_MS.web,
        flawless: true,
        answers: [lab.web2.answer],
        outcome: 'web2 alone answers'
      },
      {
        title: 'web1 is started again',
        host: 'web1',
        typed: 'systemctl start nginx',
        act: () => now(lab.web1.start()),
        settled: async (at) => {
          const answer = await this.#load?.waitForAnswer(at, SETTLE_TIMEOUT_MS, lab.web1.answer)
          if (answer) this.#happened(answer.at, 'web1 answers again')
        },
        outageLimitMs: OUTAGE_LIMITS_MS.web,
        flawless: true,
        outcome: 'both web servers answer'
      },
      {
        title: 'The proxy dies on the master: every worker is killed, again and again',
        host: 'director1',
        typed: 'while sleep 0.01; do pkill -KILL -f "tsha: worker"; done',
        act: () => master.stopProxy(),
        settled: owned(by),
        outageLimitMs: OUTAGE_LIMITS_MS.proxy,
        outcome: 'the backup took over',
        before: 'keepalived and nginx: about 4.3 s',
        explained: true
      },
      {
        title: 'The proxy lives again: the master takes the address back',
        host: 'director1',
        typed: '^C',
        act: () => now(master.startProxy()),
        settled: owned('director1'),
        outageLimitMs: OUTAGE_LIMITS_MS.back,
        outcome: 'the master is back'
      },
      {
        title: 'The master is stopped',
        host: 'director1',
        typed: 'systemctl stop tsha@master',
        act: () => master.stop(),
        settled: owned(by),
        outageLimitMs: OUTAGE_LIMITS_MS.stop,
        outcome: 'the backup took over',
        before: 'keepalived: about 0.65 s'
      }
    ]
  }

  async #disturb(disturbance: Disturbance): Promise<void> {
    this.#next(disturbance.title)
    this.#terminal.typed(disturbance.host, disturbance.typed)
    // A disturbance may be felt while it is still being done.
    this.#cause = Date.now()
    const at = await disturbance.act()
    await disturbance.settled(at)
    const load = this.#load
    if (!load) return
    const settledAt = Date.now()
    await load.waitForAnswer(settledAt + AFTERMATH_MS, SETTLE_TIMEOUT_MS)
    this.#cause = null
    const summary = load.summary(at)
    const aftermath = load.summary(settledAt + AFTERMATH_MS / 2)
    const { web1, web2 } = this.#cast.lab
    const expected = disturbance.answers ?? [web1.answer, web2.answer]
    const asExpected = Object.keys(aftermath.answers).sort().join() === expected.join()
    this.#terminal.answer(describeAnswers(summary))
    const good =
      asExpected &&
      summary.outageMs <= disturbance.outageLimitMs &&
      !(disturbance.flawless === true && summary.failed > 0)
    const before = disturbance.before === undefined ? '' : ` (${disturbance.before})`
    const outage =
      summary.failed === 0
        ? `the client noticed nothing${before}`
        : `the client had no answer for ${Math.round(summary.outageMs)} ms${before}`
    const requests = `${summary.failed} of ${summary.total} requests failed`
    const outcome = asExpected ? disturbance.outcome : `expected only ${expected.join(' and ')}`
    this.#judge(good, `${outcome}; ${outage}, ${requests}`)
    if (disturbance.explained === true) await this.#ask('why')
  }

  /** What both directors tell an administrator. */
  async #ask(command: 'status' | 'why'): Promise<void> {
    for (const director of [this.#cast.master, this.#cast.backup]) {
      const { host } = director
      this.#terminal.typed(host.name, `tsha ${command}`)
      const { code, stdout, stderr } = await host.run(process.execPath, [TSHA_COMMAND, command])
      const lines = stdout.trimEnd().split('\n')
      const end = lines.indexOf(TABLES)
      for (const line of end < 0 ? lines : lines.slice(0, end - 1)) this.#terminal.answer(line)
      if (code !== 0) this.#judge(false, `tsha ${command} on ${host.name}: ${stderr.trim()}`)
    }
  }

  async #showOwner(): Promise<void> {
    this.#next('Who holds the virtual address?')
    const { lab } = this.#cast
    const holders: string[] = []
    for (const name of ['director1', 'director2'] as const) {
      this.#terminal.typed(name, 'ip a show ens160')
      for (const line of await lab.host(name).addressLines()) {
        const virtual = line.includes(`${VIP}/`)
        if (virtual) holders.push(name)
        this.#terminal.answer(virtual ? this.#terminal.style('green', line) : line)
      }
    }
    this.#judge(holders.join(' ') === 'director1', `only the master has ${VIP}`)
  }

  async #showAnswers(): Promise<void> {
    this.#next('Requests to the virtual address')
    const results = await this.#cast.lab.get(4, { keepAlive: true })
    this.#terminal.typed(
      'client',
      `curl http://${VIP}/ http://${VIP}/ http://${VIP}/ http://${VIP}/`
    )
    for (const result of results) this.#terminal.answer(result.ok ? result.body : result.error)
    const bodies = results.map((result) => result.body)
    const alternate = bodies[0] === bodies[2] && bodies[1] === bodies[3] && bodies[0] !== bodies[1]
    this.#judge(alternate && results.every((each) => each.ok), 'the web servers take turns')
  }

  async #end(summary: LoadSummary): Promise<void> {
    const { backup, master } = this.#cast
    this.#cause = null
    await Promise.all([backup.stop(), master.stop()])
    const good = summary.total - summary.failed
    const share = ((100 * good) / summary.total).toFixed(1)
    this.#terminal.line()
    const text =
      this.#failures === 0
        ? `Everything behaved: ${good} of ${summary.total} requests (${share} %) were answered.`
        : `${this.#failures} of ${this.#chapter} chapters did not end as they should.`
    this.#terminal.line(this.#terminal.style(this.#failures === 0 ? 'green' : 'red', text))
  }

  #next(title: string): void {
    this.#chapter += 1
    this.#terminal.chapter(this.#chapter, title)
  }

  #judge(good: boolean, text: string): void {
    if (!good) this.#failures += 1
    this.#terminal.verdict(good, text)
  }

  #happened(at: number, text: string): void {
    if (this.#cause === null) return
    this.#terminal.event(Math.max(0, at - this.#cause), text)
  }

  #tellStateChange(host: string, line: LogLine): void {
    const at = typeof line['time'] === 'number' ? line['time'] : Date.now()
    const { from, to, reason } = line
    this.#happened(at, `${host} goes from ${String(from)} to ${String(to)}: ${String(reason)}`)
  }

  #showStatus(): void {
    const recent = this.#load?.summary(Date.now() - 1000 - CLIENT_TIMEOUT_MS)
    if (!recent) return
    const holder = this.#cast.lab.watch.owners.join(' and ') || 'nobody'
    const failed = `${recent.failed} of the last ${recent.total} requests failed`
    this.#terminal.status(`   ${VIP} is on ${holder} · ${failed}`)
  }
}

/** Draws who takes part, before anything happens. */
export function introduce(terminal: Terminal): void {
  const { director1, director2, web1, web2, client } = ADDRESSES
  terminal.line(terminal.style('bold', 'tsha: two directors, two web servers, one virtual address'))
  terminal.line('A network of its own inside this machine; nothing outside of it is touched.')
  terminal.line()
  const machines = [
    ['director1', director1, 'runs tsha, the master'],
    ['director2', director2, 'runs tsha, the backup'],
    ['', VIP, 'the virtual address, on one of the two at a time'],
    ['web1', web1, 'a web server that answers "This is web1"'],
    ['web2', web2, 'a web server that answers "This is web2"'],
    ['client', client, `asks for http://${VIP}/`]
  ] as const
  for (const [name, address, what] of machines) {
    terminal.line(`   ${terminal.style('cyan', name.padEnd(10))} ${address.padEnd(15)}  ${what}`)
  }
}

function describeAnswers(summary: LoadSummary): string {
  const answers = Object.entries(summary.answers).sort(([a], [b]) => a.localeCompare(b))
  const told = answers.map(([body, count]) => `${count} x "${body}"`)
  return told.length === 0 ? 'no answer at all' : `the client got ${told.join(', ')}`
}
