import { setTimeout } from 'node:timers/promises'
import type { Config, VirtualRouterConfig } from '../config/model.js'
import { NetworkMonitor } from '../linux/network-monitor.js'
import type { Reason, State } from '../vrrp/model.js'
import type { RouterConditions } from './conditions.js'
import { InterfaceWatch } from './interface-watch.js'
import type { Log } from './log.js'
import type { NotifyState } from './notify/messages.js'
import type { Notifier } from './notify/notifier.js'
import { RunningGroup, type DrivenMember } from './sync-group.js'
import type { RunningRouter } from './virtual-router.js'

/** How often an interface that is gone is looked for. */
const REOPEN_INTERVAL_MS = 1000

/** What the elections need of the director. */
export interface ElectionsOptions {
  readonly config: Config
  readonly log: Log
  readonly notifier: Notifier
  /** What everything that is followed means for a virtual router now. */
  conditionsOf(router: VirtualRouterConfig): RouterConditions
  /** Told of the links that any virtual router depends on. */
  linkChanged(name: string, isUp: boolean): void
}

/** All elections of a director: its virtual routers, joined by its sync groups. */
export class Elections {
  readonly #options: ElectionsOptions
  readonly #monitor: NetworkMonitor
  readonly #interfaces: InterfaceWatch
  readonly #groups: readonly RunningGroup[]
  #routers: RunningRouter[] = []
  #isStarted = false
  #isStopping = false

  constructor(options: ElectionsOptions) {
    const { config, log, notifier } = options
    this.#options = options
    this.#monitor = new NetworkMonitor((message) => {
      log.warn(message)
    })
    this.#interfaces = new InterfaceWatch(
      this.#monitor,
      config.election.linkDelays,
      (name, isUp) => {
        if (this.#isStarted) log.warn({ interface: name, isUp }, 'link changed')
        options.linkChanged(name, isUp)
      }
    )
    this.#groups = config.syncGroups.map(
      (group) =>
        new RunningGroup(
          group,
          () => this.#membersOf(group.members),
          (state) => {
            log.info({ group: group.name, state }, 'sync group changed')
            notifier.stateChanged('GROUP', group.name, state, 0, group.notify)
          }
        )
    )
  }

  /**
   * Opens the sockets of every virtual router and learns the state of the links. Nothing is sent yet.
   *
   * @param interfaces names of those whose links count
   * @throws {TshaError} what the system refused
   */
  async open(interfaces: readonly string[]): Promise<void> {
    for (const router of this.#options.config.virtualRouters) {
      this.#routers.push(await this.#openRouter(router))
      if (this.#isStopping) return
    }
    await this.#interfaces.open(interfaces)
  }

  start(): void {
    for (const router of this.#routers) this.#startRouter(router)
    this.#isStarted = true
    // Only now all members of a group are there.
    for (const group of this.#groups) group.stepped(null, null)
  }

  /** Something that is followed has changed. */
  applyConditions(): void {
    for (const router of this.#routers) {
      router.setConditions(this.#options.conditionsOf(router.config))
    }
  }

  /** Gives every address up; a second call does not wait for the partner. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#interfaces.close()
    await Promise.all(this.#routers.map((router) => router.stop()))
    if (this.#isStarted) for (const group of this.#groups) group.stopped()
    this.#monitor.close()
  }

  /** A plain proxy needs no raw socket: their native module is loaded only for a virtual router. */
  async #openRouter(config: VirtualRouterConfig): Promise<RunningRouter> {
    const { RunningRouter } = await import('./virtual-router.js')
    return RunningRouter.open(config, {
      log: this.#options.log,
      monitor: this.#monitor,
      isGrouped: this.#groupsOf(config.name).length > 0,
      tellsForeign: this.#options.config.election.logUnknownVrids,
      stepped: (router, from, reason) => {
        this.#stepped(router, from, reason)
      },
      priorityChanged: ({ config, state }, priority) => {
        if (!config.tellsPriority) return
        this.#options.notifier.priorityChanged(config.name, state.name === 'master', priority)
      },
      faultsChanged: (router) => {
        this.#moveGroups(router, null)
      },
      gone: (router) => {
        this.#reopen(router).catch((error: unknown) => {
          // Nothing in it rejects but for a bug of ours, which must not pass unseen.
          process.nextTick(() => {
            throw error
          })
        })
      }
    })
  }

  #startRouter(router: RunningRouter): void {
    router.setConditions(this.#options.conditionsOf(router.config))
    router.start()
  }

  #stepped(router: RunningRouter, from: State, reason: Reason): void {
    const { state, config } = router
    const { notifier } = this.#options
    if (state.name !== from.name) {
      notifier.stateChanged('INSTANCE', config.name, told(state), state.priority, config.notify)
    }
    if (reason === 'lower-priority') {
      notifier.masterRxLowerPriority(config.name, state.priority, config.notify)
    }
    this.#moveGroups(router, reason)
  }

  /** Before all members are started, and when they are being stopped, each goes by itself. */
  #moveGroups(router: RunningRouter, reason: Reason | null): void {
    if (!this.#isStarted || this.#isStopping) return
    for (const group of this.#groupsOf(router.name)) group.stepped(router.name, reason)
  }

  #groupsOf(router: string): readonly RunningGroup[] {
    return this.#groups.filter(({ config }) => config.members.includes(router))
  }

  #membersOf(names: readonly string[]): readonly DrivenMember[] {
    return names.map((name) => {
      const router = this.#routers.find((each) => each.name === name)
      return router && router.state.name !== 'initialize' ? router : withoutInterface(name)
    })
  }

  /** The sockets of a virtual router die with its interface: it begins anew when that is back. */
  async #reopen(gone: RunningRouter): Promise<void> {
    await gone.stop()
    let opened: RunningRouter | null = null
    while (opened === null) {
      await setTimeout(REOPEN_INTERVAL_MS)
      if (this.#isStopping) return
      opened = await this.#openRouter(gone.config).catch(() => null)
    }
    const back = opened
    this.#routers = this.#routers.map((router) => (router === gone ? back : router))
    if (this.#isStarted) this.#startRouter(back)
    // A request to stop that came while it was opened did not know of it.
    if (this.#isStopping) await back.stop()
  }
}

/** A member whose interface is gone has a fault: the others must not be master without it. */
function withoutInterface(name: string): DrivenMember {
  return {
    name,
    state: { name: 'fault', cause: 'link', priority: 1, serviceUp: false },
    hasFault: true,
    order: () => undefined
  }
}

function told({ name }: State): NotifyState {
  switch (name) {
    case 'master':
      return 'MASTER'
    case 'backup':
      return 'BACKUP'
    case 'fault':
      return 'FAULT'
    case 'initialize':
      return 'STOP'
  }
}
