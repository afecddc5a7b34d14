import { setTimeout } from 'node:timers/promises'
import { routerKey } from '../../config/diff-routers.js'
import type { Config, SyncGroup, VirtualRouterConfig } from '../../config/model.js'
import { isSame } from '../../config/same.js'
import { NetworkMonitor } from '../../linux/network-monitor.js'
import type { Reason, State } from '../../vrrp/model.js'
import { messageOf } from '../../errors.js'
import { Barrier } from './barrier.js'
import type { RouterConditions } from './conditions.js'
import type { FlightRecorder } from '../recording/flight-recorder.js'
import { InterfaceWatch } from './interface-watch.js'
import type { Log } from '../log.js'
import type { NotifyState } from '../notify/messages.js'
import type { Notifier } from '../notify/notifier.js'
import { withStepDown, withWishedPriority, type RouterWishes } from '../orders/router-wishes.js'
import { RouterStory } from '../status/router-story.js'
import { StateChanges } from './state-changes.js'
import type { ElectionFacts } from '../status/status-router.js'
import { RunningGroup, type DrivenMember } from './sync-group.js'
import type { RunningRouter } from './virtual-router.js'
import { Waiters } from '../waiters.js'
import type { Sibling } from '../status/why.js'

/** How often an interface that is gone is looked for. */
const REOPEN_INTERVAL_MS = 1000
/** Addresses that move between virtual routers are let go of before they are added; an `ip` may hang. */
const RELEASE_WAIT_MS = 1000

/** What the elections need of the director. */
export interface ElectionsOptions {
  readonly config: Config
  readonly log: Log
  readonly notifier: Notifier
  readonly recorder?: FlightRecorder
  /** What an administrator wants of the virtual routers; `applyConditions` after each change. */
  readonly wishes: RouterWishes
  /**
   * What everything that is followed means for a virtual router now.
   *
   * @param isTakingPart it is in the election already, where what has no result yet is no reason to leave
   */
  conditionsOf(router: VirtualRouterConfig, isTakingPart: boolean): RouterConditions
  /** Told of the links that any virtual router depends on. */
  linkChanged(name: string, isUp: boolean): void
}

/** Another configuration that could be applied: everything that can fail has been opened. */
export interface PreparedElections {
  /** Why it cannot be applied any more; null when it can. */
  readonly obstacle: string | null
  /** Applies it at once. Resolves when the virtual routers that are no more have given everything up. */
  commit(): Promise<void>
  /** Closes what was opened; everything stays as it is. */
  abort(): void
}

/**
 * All elections of a director: its virtual routers, joined by its sync groups. Opening, moving and replacing
 * them is in one place, since each step has to see the same list of them.
 */
export class Elections {
  readonly #options: ElectionsOptions
  readonly #monitor: NetworkMonitor
  readonly #interfaces: InterfaceWatch
  #config: Config
  #groups: readonly RunningGroup[]
  readonly #changes: StateChanges
  /** By name: they outlive an interface that is gone. */
  readonly #stories = new Map<string, RouterStory>()
  readonly #waiters = new Waiters()
  #routers: RunningRouter[] = []
  /** Names of the interfaces whose links count. */
  #links: readonly string[] = []
  /** Those that are in no configuration any more and hand their addresses over. */
  readonly #leaving = new Set<RunningRouter>()
  #isStarted = false
  /** Virtual routers take the places of others: groups have to wait until all are there. */
  #isChanging = false
  #isStopping = false

  constructor(options: ElectionsOptions) {
    const { config, log, notifier } = options
    this.#options = options
    this.#config = config
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
    this.#groups = config.syncGroups.map((group) => this.#newGroup(group))
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
    for (const config of this.#config.virtualRouters) {
      const router = await this.#openRouter(config, this.#config)
      this.#routers.push(router)
      if (!this.#isStopping) continue
      // A request to stop that came meanwhile did not know of it.
      await router.stop()
      return
    }
    this.#links = interfaces
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
    for (const router of this.#routers) {
      router.setConditions(this.#conditionsOf(router.config, router.isTakingPart))
    }
  }

  #conditionsOf(config: VirtualRouterConfig, isTakingPart: boolean): RouterConditions {
    const wish = this.#options.wishes.of(config.name)
    const wished = withWishedPriority(config, wish)
    return withStepDown(this.#options.conditionsOf(wished, isTakingPart), wish)
  }

  /**
   * Opens what another configuration needs besides what is there, and changes nothing.
   *
   * @param interfaces names of those whose links count by that configuration
   * @throws {TshaError} what the system refused; nothing is left open
   */
  async prepare(config: Config, interfaces: readonly string[]): Promise<PreparedElections> {
    const opened: RunningRouter[] = []
    const abort = (): void => {
      for (const router of opened) router.close()
      this.#interfaces.keep(this.#links, this.#config.election.linkDelays)
    }
    const obstacle = (): string | null => {
      const gone = opened.find(({ isGone }) => isGone)
      if (gone) return `interface ${gone.config.interface} is gone`
      const back = config.virtualRouters.find((router) => {
        const running = this.#find(routerKey(router))
        const isReady = opened.some((each) => each.config === router)
        return running?.isGone === false && !isReady && !this.#isUnchanged(running, router, config)
      })
      return back ? `interface ${back.interface} has just come back` : null
    }
    try {
      for (const router of config.virtualRouters) {
        const running = this.#find(routerKey(router))
        // What is gone is opened anew when it is back, by what is configured then.
        if (running?.isGone === true || (running && this.#isUnchanged(running, router, config)))
          continue
        opened.push(await this.#openRouter(router, config, 'prepare'))
      }
      await this.#interfaces.open(interfaces)
    } catch (error) {
      abort()
      throw error
    }
    return {
      get obstacle() {
        return obstacle()
      },
      commit: () => this.#commit(config, interfaces, opened),
      abort
    }
  }

  /** What is known of all of them at this moment. */
  facts(): ElectionFacts {
    return {
      routers: this.#routers.map((router) =>
        router.facts(this.#conditionsOf(router.config, router.isTakingPart).effects)
      ),
      groups: this.#groups.map(({ config, state }) => ({ config, state }))
    }
  }

  /** Gives every address up; a second call does not wait for the partner. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#interfaces.close()
    await Promise.all([...this.#routers, ...this.#leaving].map((router) => router.stop()))
    if (this.#isStarted) {
      for (const router of this.#routers) this.#changes.tell(router, 'STOP')
      for (const group of this.#groups) group.stopped()
    }
    this.#monitor.close()
  }

  /** A plain proxy needs no raw socket: their native module is loaded only for a virtual router. */
  async #openRouter(
    router: VirtualRouterConfig,
    config: Config,
    how: 'open' | 'prepare' = 'open'
  ): Promise<RunningRouter> {
    const { RunningRouter } = await import('./virtual-router.js')
    return RunningRouter[how](router, {
      log: this.#options.log,
      monitor: this.#monitor,
      isGrouped: isGrouped(router, config),
      virtualAddresses: [this.#config, config].flatMap(addressesOf),
      tellsForeign: config.election.logUnknownVrids,
      ...(this.#options.recorder ? { recorder: this.#options.recorder } : {}),
      story: this.#storyOf(router.name),
      priorityWish: () => this.#options.wishes.of(router.name).priority,
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
        if (this.#isChanging || !this.#routers.includes(router)) return
        for (const group of this.#groupsOf(router.name)) group.servesChanged()
      },
      gone: (router) => {
        // One that is only prepared, or leaves, is nobody's loss.
        if (!this.#routers.includes(router)) return
        this.#reopen(router).catch((error: unknown) => {
          // Nothing in it rejects but for a bug of ours, which must not pass unseen.
          process.nextTick(() => {
            throw error
          })
        })
      }
    })
  }

  /** What a virtual router that is gone is to be when it is back; null when it is not wanted any more. */
  #wanted(gone: RunningRouter): VirtualRouterConfig | null {
    const key = routerKey(gone.config)
    return this.#config.virtualRouters.find((router) => routerKey(router) === key) ?? null
  }

  #commit(
    config: Config,
    interfaces: readonly string[],
    opened: readonly RunningRouter[]
  ): Promise<void> {
    const keys = new Set(config.virtualRouters.map(routerKey))
    const removed = this.#routers.filter((router) => !keys.has(routerKey(router.config)))
    const pairs = opened.map((router) => ({ router, old: this.#find(routerKey(router.config)) }))
    const successors = pairs.flatMap(({ router, old }) =>
      old?.isGone === false ? [{ router, old }] : []
    )
    // What is gone since is opened anew, when its interface is back.
    for (const { router, old } of pairs) if (old?.isGone === true) router.close()

    this.#config = config
    this.#links = interfaces
    this.#interfaces.keep(interfaces, config.election.linkDelays)
    const before = this.#groups
    this.#groups = config.syncGroups.map((group) => this.#newGroup(group, before))
    this.#routers = config.virtualRouters.flatMap(
      (router) =>
        opened.find((each) => each.config === router && !each.isClosed) ??
        this.#find(routerKey(router)) ??
        []
    )
    const released = new Barrier(successors.length, RELEASE_WAIT_MS)
    this.#isChanging = true
    for (const { router, old } of successors) {
      const conditions = this.#conditionsOf(router.config, old.isTakingPart)
      router.takeOver(old, conditions, () => released.arrive())
    }
    if (this.#isStarted) {
      for (const { router, old } of pairs) if (old === undefined) this.#startRouter(router)
    }
    this.#isChanging = false
    this.applyConditions()
    if (this.#isStarted) {
      for (const group of this.#groups) {
        group.servesChanged()
        group.stepped(null, null)
      }
    }
    for (const router of opened) this.#changes.soon(router.name)
    return this.#leave(removed)
  }

  async #leave(removed: readonly RunningRouter[]): Promise<void> {
    for (const router of removed) this.#leaving.add(router)
    await Promise.all(
      removed.map(async (router) => {
        await router.stop()
        this.#leaving.delete(router)
        if (!this.#isStarted || this.#isStopping) return
        this.#changes.tell(router, 'DELETED')
        this.#changes.forget(router.name)
      })
    )
  }

  #find(key: string): RunningRouter | undefined {
    return this.#routers.find(({ config }) => routerKey(config) === key)
  }

  #isUnchanged(running: RunningRouter, router: VirtualRouterConfig, config: Config): boolean {
    return (
      isSame(running.config, router) &&
      isGrouped(running.config, this.#config) === isGrouped(router, config) &&
      this.#config.election.logUnknownVrids === config.election.logUnknownVrids
    )
  }

  #newGroup(group: SyncGroup, before: readonly RunningGroup[] = []): RunningGroup {
    const old = before.find(({ config }) => config.name === group.name)
    if (old && isSame(old.config, group)) return old
    const { log, notifier, recorder } = this.#options
    const created = new RunningGroup(
      group,
      () => this.#membersOf(group.members),
      (state, from) => {
        log.info({ group: group.name, from, state }, 'sync group changed')
        notifier.stateChanged('GROUP', group.name, state, 0, group.notify)
      },
      (decision) => {
        recorder?.grouped(decision)
      }
    )
    if (old) created.takeOver(old)
    return created
  }

  #startRouter(router: RunningRouter): void {
    router.setConditions(this.#conditionsOf(router.config, false))
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
    if (!this.#routers.includes(router)) return
    this.#changes.soon(router.name)
    if (!this.#isStarted || this.#isStopping || this.#isChanging) return
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
    const story = this.#stories.get(router) ?? new RouterStory()
    this.#stories.set(router, story)
    return story
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
      const wanted = this.#wanted(gone)
      if (wanted === null) return
      opened = await this.#openRouter(wanted, this.#config).catch((error: unknown) => {
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
      // Another configuration came while it was opened.
      if (opened === null || opened.config === this.#wanted(gone)) continue
      opened.close()
      opened = null
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

function addressesOf({ virtualRouters }: Config): readonly string[] {
  return virtualRouters.flatMap(({ addresses, excludedAddresses }) =>
    [...addresses, ...excludedAddresses].map(({ address }) => address)
  )
}

function isGrouped(router: VirtualRouterConfig, { syncGroups }: Config): boolean {
  return syncGroups.some(({ members }) => members.includes(router.name))
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
