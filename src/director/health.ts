import { randomBytes } from 'node:crypto'
import type { CheckStatus } from '../admin/model.js'
import type {
  Config,
  FileCheck as TrackedFile,
  ScriptCheck,
  VirtualRouterConfig
} from '../config/model.js'
import { isSame } from '../config/same.js'
import { FileCheck, type FileObserver } from '../health/checks/file.js'
import { needsCommandLines, ProcessChecks } from '../health/checks/processes.js'
import { scriptCheck } from '../health/checks/script.js'
import { serviceCheck } from '../health/checks/service.js'
import { ProcessTable } from '../health/process-table.js'
import type { ChildStarter } from '../health/run-command.js'
import { CheckScheduler, type CheckRun, type OnResult, type Schedule } from '../health/scheduler.js'
import { monotonicNow, systemClock } from '../linux/clock.js'
import type { ListenAddress } from '../proxy/model.js'
import {
  conditionsOf,
  resultKey,
  type Readings,
  type Result,
  type RouterConditions
} from './elections/conditions.js'
import type { FlightRecorder } from './recording/flight-recorder.js'
import type { IdentityOf } from './identities.js'
import type { Log } from './log.js'
import { toIso } from './iso-time.js'

/** The name under which a virtual router tracks our own proxy. */
const SERVICE = 'service'

/** What the checks of a director need of it. */
export interface HealthOptions {
  readonly config: Config
  /** Who scripts run as. */
  readonly identityOf: IdentityOf
  readonly starter: ChildStarter
  readonly log: Log
  readonly recorder?: FlightRecorder
  /** Told after each change of anything that is followed. */
  readonly onChange: () => void
}

/** Everything that this director follows, and what it means for each virtual router. */
export class DirectorHealth {
  /** Known to the workers: a request that carries it is the service check. */
  readonly checkToken = randomBytes(16).toString('hex')
  readonly #log: Log
  readonly #onChange: () => void
  readonly #recorder: FlightRecorder | undefined
  readonly #starter: ChildStarter
  #config: Config
  #identityOf: IdentityOf
  #scripts: ReadonlyMap<string, CheckScheduler>
  #files: ReadonlyMap<string, FileCheck>
  readonly #links = new Map<string, boolean>()
  /** Of everything that has a status: since when, milliseconds since 1970, by `resultKey`. */
  readonly #since = new Map<string, number>()
  /** How many processes ran when a check of processes last changed, by its name. */
  readonly #counted = new Map<string, string>()
  #processes: ProcessChecks | null
  #service: CheckScheduler | null
  /** An administrator has stopped the proxy: the check need not find out. */
  #isServiceStopped = false

  constructor({ config, identityOf, starter, log, recorder, onChange }: HealthOptions) {
    this.#log = log
    this.#onChange = onChange
    this.#recorder = recorder
    this.#starter = starter
    this.#config = config
    this.#identityOf = identityOf
    this.#scripts = byName(config.scripts, (script) => this.#scriptCheck(script))
    this.#files = byName(config.files, (file) => this.#fileCheck(file))
    this.#processes = config.processes.length === 0 ? null : this.#processChecks(config)
    this.#service = this.#serviceCheck(config)
  }

  /** Interfaces whose links count for any virtual router: `linkChanged` is to be told of them. */
  static interfacesOf(config: Config): readonly string[] {
    const tracks = [...config.virtualRouters, ...config.syncGroups].flatMap(({ track }) => track)
    const tracked = tracks.filter(({ kind }) => kind === 'interface').map(({ check }) => check)
    const own = config.virtualRouters
      .filter(({ tracksInterface }) => tracksInterface)
      .map((router) => router.interface)
    return [...new Set([...own, ...tracked])]
  }

  start(): void {
    for (const check of this.#scripts.values()) check.start()
    for (const file of this.#files.values()) file.start()
    this.#processes?.start()
    this.#service?.start()
  }

  /**
   * Goes on by another configuration, while it runs. What is the same does not notice; a check that is
   * another one now begins anew, and until it has a result the last one of its name holds.
   */
  reconfigure(config: Config, identityOf: IdentityOf): void {
    const before = this.#config
    const wasIdentityOf = this.#identityOf
    this.#config = config
    this.#identityOf = identityOf
    this.#scripts = reconfigured(this.#scripts, config.scripts, {
      isSame: (script) =>
        isSame(named(before.scripts, script.name), script) &&
        isSame(wasIdentityOf(script), identityOf(script)),
      make: (script) => this.#scriptCheck(script),
      tookOver: (script, { status }) => {
        this.#recorder?.checkBegan(script.name, script, status)
      }
    })
    this.#files = reconfigured(this.#files, config.files, {
      isSame: (file) => isSame(named(before.files, file.name), file),
      make: (file) => this.#fileCheck(file)
    })
    if (!isSame(before.processes, config.processes)) this.#replaceProcesses(before, config)
    const isSameService =
      isSame(before.serviceCheck, config.serviceCheck) &&
      isSame(listenersOf(before), listenersOf(config))
    if (!isSameService) this.#replaceService(config)
  }

  #replaceProcesses(before: Config, config: Config): void {
    const old = this.#processes
    this.#processes = config.processes.length === 0 ? null : this.#processChecks(config)
    if (old) {
      this.#processes?.takeOver(old, (name) =>
        isSame(named(before.processes, name), named(config.processes, name))
      )
      old.stop()
    }
    this.#processes?.start()
  }

  #replaceService(config: Config): void {
    const old = this.#service
    this.#service = this.#serviceCheck(config)
    if (old) this.#service?.takeOver(old)
    old?.stop()
    this.#service?.start()
  }

  stop(): void {
    for (const check of this.#scripts.values()) check.stop()
    for (const file of this.#files.values()) file.stop()
    this.#processes?.stop()
    this.#service?.stop()
  }

  /** Something happened to the workers: the service is checked now rather than at its next turn. */
  checkServiceNow(): void {
    this.#service?.runNow()
  }

  /** The proxy is about to be stopped, or runs again: until it does, its check counts as failed. */
  setServiceStopped(isStopped: boolean): void {
    if (isStopped === this.#isServiceStopped) return
    this.#isServiceStopped = isStopped
    this.#onChange()
  }

  /** An interface can, or cannot, carry packets; one that does not exist cannot. */
  linkChanged(name: string, isUp: boolean): void {
    if (this.#links.get(name) === isUp) return
    this.#links.set(name, isUp)
    this.#recorder?.note('link', name, { is_up: isUp })
    this.#changed('interface', name)
  }

  /** What everything that is followed means for a virtual router now; see `conditionsOf`. */
  conditionsOf(router: VirtualRouterConfig, isTakingPart = false): RouterConditions {
    const group =
      this.#config.syncGroups.find(({ members }) => members.includes(router.name)) ?? null
    return conditionsOf(router, group, this.#readings(), isTakingPart)
  }

  /** Everything that is followed, as administrators see it. */
  checks(): readonly CheckStatus[] {
    const toStatus = (
      kind: CheckStatus['kind'],
      name: string,
      passes: boolean | null,
      detail: string | null
    ): CheckStatus => {
      const since = this.#since.get(resultKey(kind, name))
      return { kind, name, passes, since: since === undefined ? null : toIso(since), detail }
    }
    return [
      ...[this.#service]
        .filter((check) => check !== null)
        .map(({ isUp, failure }) => toStatus('service', SERVICE, isUp, failure)),
      ...[...this.#scripts].map(([name, { isUp, failure }]) =>
        toStatus('script', name, isUp, failure)
      ),
      ...this.#config.processes.map(({ name }) => {
        const isUp = this.#processes?.isUp(name) ?? null
        const detail = isUp === false ? (this.#counted.get(name) ?? null) : null
        return toStatus('process', name, isUp, detail)
      }),
      ...[...this.#files].map(([name, { value, trouble }]) =>
        toStatus('file', name, value === null ? null : trouble === null, trouble ?? says(value))
      ),
      ...[...this.#links].map(([name, isUp]) =>
        toStatus('interface', name, isUp, isUp ? null : 'is down')
      )
    ]
  }

  #readings(): Readings {
    return {
      service: this.#isServiceStopped ? false : (this.#service?.isUp ?? null),
      scripts: known([...this.#scripts].map(([name, { isUp }]) => [name, isUp])),
      processes: known(
        this.#config.processes.map(({ name }) => [name, this.#processes?.isUp(name) ?? null])
      ),
      files: known([...this.#files].map(([name, { value }]) => [name, value])),
      links: this.#links,
      results: this.#results()
    }
  }

  #results(): ReadonlyMap<string, Result> {
    const details = new Map<string, string | null>([
      [resultKey('service', SERVICE), this.#service?.failure ?? null],
      ...[...this.#scripts].map(
        ([name, { failure }]) => [resultKey('script', name), failure] as const
      ),
      ...[...this.#counted].map(([name, detail]) => [resultKey('process', name), detail] as const),
      ...[...this.#files].map(([name, { trouble }]) => [resultKey('file', name), trouble] as const),
      ...[...this.#links.keys()].map((name) => [resultKey('interface', name), null] as const)
    ])
    const sinceOf = (key: string): number | null => this.#since.get(key) ?? null
    return new Map([...details].map(([key, detail]) => [key, { detail, since: sinceOf(key) }]))
  }

  /** A status is another one now. */
  #changed(kind: CheckStatus['kind'], name: string): void {
    this.#since.set(resultKey(kind, name), systemClock.wallTime())
    this.#onChange()
  }

  #told(kind: CheckStatus['kind'], name: string): (isUp: boolean, detail: string) => void {
    return (isUp, detail) => {
      if (kind === 'process') this.#counted.set(name, detail)
      this.#log[isUp ? 'info' : 'warn'](
        { check: name, detail },
        isUp ? 'check passes' : 'check fails'
      )
      this.#changed(kind, name)
    }
  }

  #recorded(name: string, schedule: Schedule): OnResult {
    return (before, { passed, detail }, after) => {
      this.#recorder?.checked(name, schedule, { before, passed, after, detail })
    }
  }

  #scriptCheck(script: ScriptCheck): CheckScheduler {
    const { name, command, timeoutMs } = script
    const run = scriptCheck({ command, timeoutMs, ...this.#identityOf(script) }, this.#starter)
    const check = new CheckScheduler(
      run,
      script,
      this.#told('script', name),
      (detail) => {
        this.#log.warn({ check: name, detail }, 'check cannot be run, which counts as a failure')
      },
      this.#recorded(name, script)
    )
    this.#recorder?.checkBegan(name, script, check.status)
    return check
  }

  #fileCheck({ name, path, initial }: TrackedFile): FileCheck {
    const observer: FileObserver = {
      changed: (value) => {
        this.#log.info({ check: name, value }, `tracked file says ${value}`)
        this.#recorder?.note('check', name, { value })
        this.#changed('file', name)
      },
      troubled: (message) => {
        this.#log.warn({ check: name }, `tracked file: ${message}`)
      }
    }
    return new FileCheck(path, observer, initial)
  }

  #processChecks({ processes }: Config): ProcessChecks {
    return new ProcessChecks({
      checks: processes,
      intervalMs: Math.min(...processes.map(({ intervalMs }) => intervalMs)),
      table: new ProcessTable({ readsCommandLines: needsCommandLines(processes) }),
      now: monotonicNow,
      onChange: (name, isUp, detail) => {
        this.#recorder?.note('check', name, { is_up: isUp, detail })
        this.#told('process', name)(isUp, detail)
      },
      onTrouble: (message) => {
        this.#log.error(message)
      }
    })
  }

  #serviceCheck(config: Config): CheckScheduler | null {
    const { proxy, serviceCheck: service } = config
    if (!proxy || !service) return null
    const run: CheckRun = serviceCheck({
      listeners: listenersOf(config),
      timeoutMs: service.timeoutMs,
      token: this.checkToken
    })
    const recorded = this.#recorded(SERVICE, service)
    const check = new CheckScheduler(
      run,
      service,
      this.#told('service', SERVICE),
      undefined,
      recorded
    )
    this.#recorder?.checkBegan(SERVICE, service, check.status)
    return check
  }
}

function known<Value>(
  results: readonly (readonly [string, Value | null])[]
): ReadonlyMap<string, Value> {
  const readings = new Map<string, Value>()
  for (const [name, value] of results) if (value !== null) readings.set(name, value)
  return readings
}

function says(value: number | null): string | null {
  return value === null ? null : `says ${value}`
}

/** Every address on which the proxy listens, once. */
function listenersOf({ proxy }: Config): readonly ListenAddress[] {
  const listeners = proxy?.servers.map((server) => server.listen) ?? []
  return [...new Map(listeners.map((each) => [`${each.host} ${each.port}`, each])).values()]
}

interface Named {
  readonly name: string
}

function named<Item extends Named>(items: readonly Item[], name: string): Item | undefined {
  return items.find((item) => item.name === name)
}

function byName<Item extends Named, Check>(
  items: readonly Item[],
  make: (item: Item) => Check
): ReadonlyMap<string, Check> {
  return new Map(items.map((item) => [item.name, make(item)]))
}

/** A check that runs, and can go on where another one of its name was. */
interface Replaceable<Check> {
  start(): void
  stop(): void
  takeOver(old: Check): void
}

interface Reconfiguring<Item, Check> {
  readonly isSame: (item: Item) => boolean
  readonly make: (item: Item) => Check
  /** Told of each check that goes on where another one was. */
  readonly tookOver?: (item: Item, check: Check) => void
}

/** Keeps the checks that are the same, starts the others, and ends those that are no more. */
function reconfigured<Item extends Named, Check extends Replaceable<Check>>(
  checks: ReadonlyMap<string, Check>,
  items: readonly Item[],
  { isSame, make, tookOver }: Reconfiguring<Item, Check>
): ReadonlyMap<string, Check> {
  for (const [name, check] of checks) if (!named(items, name)) check.stop()
  return byName(items, (item) => {
    const old = checks.get(item.name)
    if (old && isSame(item)) return old
    const begun = make(item)
    if (old) {
      begun.takeOver(old)
      tookOver?.(item, begun)
    }
    begun.start()
    return begun
  })
}
