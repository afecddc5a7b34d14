import { setTimeout } from 'node:timers/promises'
import type { Config, VirtualRouterConfig } from '../config/model.js'
import { NetworkMonitor } from '../linux/network-monitor.js'
import type { Reason, State } from '../vrrp/model.js'
import { messageOf } from '../errors.js'
import type { RouterConditions } from './conditions.js'
import type { FlightRecorder } from './flight-recorder.js'
import { InterfaceWatch } from './interface-watch.js'
import type { Log } from './log.js'
import type { NotifyState } from './notify/messages.js'
import type { Notifier } from './notify/notifier.js'
import { withStepDown, withWishedPriority, type RouterWishes } from './router-wishes.js'
import { RouterStory } from './router-story.js'
import { StateChanges } from './state-changes.js'
import type { ElectionFacts } from './status-router.js'
import { RunningGroup, type DrivenMember } from './sync-group.js'
import type { RunningRouter } from './virtual-router.js'
import { Waiters } from './waiters.js'
import type { Sibling } from './why.js'

/** How often an interface that is gone is looked for. */
const REOPEN_INTERVAL_MS = 1000

/** What the elections need of the director. */
export interface ElectionsOptions {
  readonly config: Config
  readonly log: Log
  readonly notifier: Notifier
  readonly recorder?: FlightRecorder
  /** What an administrator wants of the virtual routers; `applyConditions` after each change. */
  readonly wishes: RouterWishes
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
  readonly #changes: StateChanges
  /** By name: they outlive an interface that is gone. */
  readonly #stories: ReadonlyMap<string, RouterStory>
  readonly #waiters = new Waiters()
  #routers: RunningRouter[] = []
  #isStarted = false
  #isStopping = false

  constructor(options: ElectionsOptions) {
    const { config, log, notifier } = options
    this.#options = options
    this.#stories = new Map(config.virtualRouters.map(({ name }) => [name, new RouterStory()]))
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
          (state, from) => {
            log.info({ group: group.name, from, state }, 'sync group changed')
            notifier.stateChanged('GROUP', group.name, state, 0, group.notify)
          },
          (decision) => {
            options.recorder?.grouped(decision)
          }
        )
    )
    this.#changes = new StateChanges(notifier, () => {
      this.#tell()
    })
  }

  /**
   * Opens the sockets of every virtual router and learns the state of the links. Nothing is sent yet.
   *
   * @param interfaces names of those whose links count
   * @throws {TshaError} what the system refused
   */
  async open(interfaces: readonly string[]): Promise<void> {
    for (const config of this.#options.config.virtualRouters) {
      const router = await this.#openRouter(config)
      this.#routers.push(router)
      if (!this.#isStopping) continue
      // A request to stop that came meanwhile did not know of it.
      await router.stop()
      return
    }
    await this.#interfaces.open(interfaces)
  }

  start(): void {
    if (this.#isStopping) return
    for (const router of this.#routers) this.#startRouter(router)
    this.#isStarted = true
    // Only now all members of a group are there.
    for (const group of this.#groups) group.stepped(null, null)
    for (const router of this.#routers) this.#changes.soon(router.name)
  }

  /** Those that run, in the order of the configuration. */
  get routers(): readonly RunningRouter[] {
    return this.#routers
  }

  /** Resolves when something about the virtual routers has become true, or after the time. */
  async until(isTrue: () => boolean, timeoutMs: number): Promise<boolean> {
    return this.#waiters.until(isTrue, timeoutMs)
  }

  /** Something that is followed, or what an administrator wants, has changed. */
  applyConditions(): void {
    for (const router of this.#routers) router.setConditions(this.#conditionsOf(router.config))
  }

  #conditionsOf(config: VirtualRouterConfig): RouterConditions {
    const wish = this.#options.wishes.of(config.name)
    return withStepDown(this.#options.conditionsOf(withWishedPriority(config, wish)), wish)
  }

  /** What is known of all of them at this moment. */
  facts(): ElectionFacts {
    return {
      routers: this.#routers.map((router) =>
        router.facts(this.#conditionsOf(router.config).effects)
      ),
      groups: this.#groups.map(({ config, state }) => ({ config, state }))
    }
  }

  /** Gives every address up; a second call does not wait for the partner. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#interfaces.close()
    await Promise.all(this.#routers.map((router) => router.stop()))
    if (this.#isStarted) {
      for (const router of this.#routers) this.#changes.tell(router, 'STOP')
      for (const group of this.#groups) group.stopped()
    }
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
      ...(this.#options.recorder ? { recorder: this.#options.recorder } : {}),
      story: this.#storyOf(config.name),
      priorityWish: () => this.#options.wishes.of(config.name).priority,
      siblingsOf: (name) => this.#siblingsOf(name),
      stepped: (router, reason, from) => {
        this.#stepped(router, reason, from)
      },
      priorityChanged: ({ config, state }, priority) => {
        if (!config.tellsPriority) return
        this.#options.notifier.priorityChanged(config.name, state.name === 'master', priority)
      },
      faultsChanged: (router) => {
        this.#moveGroups(router, null)
      },
      servesChanged: (router) => {
        for (const group of this.#groupsOf(router.name)) group.servesChanged()
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
    router.setConditions(this.#conditionsOf(router.config))
    router.start()
  }

  #stepped(router: RunningRouter, reason: Reason, from: State): void {
    const { state, config } = router
    if (from.name !== 'master' && state.name === 'master') this.#tellIfSteppedDown(config.name)
    // In the first moments it is the last word of the one that gave way to us, at every failback.
    if (reason === 'lower-priority' && router.isSettledMaster) {
      this.#options.notifier.masterRxLowerPriority(config.name, state.priority, config.notify)
    }
    this.#moveGroups(router, reason)
  }

  #tellIfSteppedDown(name: string): void {
    const { wishes, log } = this.#options
    if (!wishes.of(name).isSteppedDown) return
    log.warn({ router: name }, 'nobody else serves: master although it was stepped down')
  }

  /** Before all members are started, and when they are being stopped, each goes by itself. */
  #moveGroups(router: RunningRouter, reason: Reason | null): void {
    this.#changes.soon(router.name)
    if (!this.#isStarted || this.#isStopping) return
    for (const group of this.#groupsOf(router.name)) {
      group.stepped(router.name, reason)
      // What one awaits may silence the others.
      for (const member of group.config.members) this.#changes.soon(member)
    }
  }

  #tell(): void {
    const changed = this.#changes.take()
    if (!this.#isStarted) return
    for (const name of changed) {
      const router = this.#routers.find((each) => each.name === name)
      const state = router && this.#toldStateOf(router)
      if (router && state) this.#changes.tell(router, state)
    }
    if (!this.#isStopping) for (const group of this.#groups) group.tell()
    this.#waiters.notify()
  }

  /** Null when there is nothing to tell: a fault is silent until something has failed (keepalived). */
  #toldStateOf(router: RunningRouter): NotifyState | null {
    switch (router.state.name) {
      case 'master':
        return 'MASTER'
      case 'backup':
        return 'BACKUP'
      case 'fault':
        return this.#isAwaiting(router) ? null : 'FAULT'
      case 'initialize':
        return this.#isStopping ? 'STOP' : 'FAULT'
    }
  }

  #isAwaiting(router: RunningRouter): boolean {
    const groups = this.#groupsOf(router.name)
    if (groups.length === 0) return router.isAwaiting
    return groups.every((group) => group.isAwaiting)
  }

  #groupsOf(router: string): readonly RunningGroup[] {
    return this.#groups.filter(({ config }) => config.members.includes(router))
  }

  #storyOf(router: string): RouterStory {
    return this.#stories.get(router) ?? new RouterStory()
  }

  #siblingsOf(name: string): readonly Sibling[] {
    const members = this.#groupsOf(name).flatMap(({ config }) => config.members)
    return this.#membersOf([...new Set(members)].filter((member) => member !== name)).map(
      ({ name, state }) => ({ name, state: state.name })
    )
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
    let toldFailure = ''
    while (opened === null) {
      await setTimeout(REOPEN_INTERVAL_MS, undefined, { ref: false })
      if (this.#isStopping) return
      opened = await this.#openRouter(gone.config).catch((error: unknown) => {
        const failure = messageOf(error)
        if (failure !== toldFailure) {
          this.#options.log.warn(
            { router: gone.name },
            `${failure}; tried again every ${REOPEN_INTERVAL_MS} ms`
          )
        }
        toldFailure = failure
        return null
      })
    }
    if (this.#isStopping) {
      // The request to stop came while it was opened and did not know of it.
      await opened.stop()
      return
    }
    const back = opened
    this.#routers = this.#routers.map((router) => (router === gone ? back : router))
    if (this.#isStarted) this.#startRouter(back)
  }
}

/** A member whose interface is gone has a fault: the others must not be master without it. */
function withoutInterface(name: string): DrivenMember {
  return {
    name,
    state: { name: 'fault', cause: 'link', priority: 1, serviceUp: false },
    hasFault: true,
    isAwaiting: false,
    serves: true,
    setGroupServes: () => undefined,
    order: () => undefined
  }
}
