import type { PriorityEffect, ProxyStatus, Status, VirtualRouterStatus } from '../../admin/model.js'

/** What the sentences need besides the status itself. */
export interface ProblemFacts {
  /** Worker processes that there should be. */
  readonly configuredWorkers: number
  /** The last advertisement of each virtual router that was notably late, and how long ago. */
  readonly late: readonly {
    readonly router: string
    readonly lateMs: number
    readonly agoS: number
  }[]
}

/** What was late longer ago is history. */
const LATE_MATTERS_S = 600

/**
 * What is not as it should be, as sentences, worst first: addresses that nobody has, a service that
 * nobody gives, what is about to come to that, and at last what an administrator wished.
 */
export function problemsOf(
  status: Omit<Status, 'problems'>,
  { configuredWorkers, late }: ProblemFacts
): readonly string[] {
  const { virtual_routers: routers, checks, proxy } = status
  const service = checks.find(({ kind, passes }) => kind === 'service' && passes === false)
  const found = [
    ...routers.flatMap(nobody),
    ...(proxy ? unserved(proxy) : []),
    ...(service ? [`the service check fails${after(service.detail)}`] : []),
    ...routers.flatMap(outOfElection),
    ...routers.flatMap(masterInNeed),
    ...routers.flatMap(backupOnly),
    ...otherFailures(routers),
    ...(proxy ? fewWorkers(proxy, configuredWorkers) : []),
    ...(proxy ? outPeers(proxy) : []),
    ...refusedReload(status),
    ...late
      .filter(({ agoS }) => agoS <= LATE_MATTERS_S)
      .map(
        ({ router, lateMs, agoS }) =>
          `an advertisement of virtual router ${router} left ${Math.round(lateMs)} ms late, ${Math.round(agoS)} s ago`
      ),
    ...routers.filter((router) => router.stepped_down).map(standsBack),
    ...(proxy ? wishedPeers(proxy) : [])
  ]
  return [...new Set(found)]
}

/** Neither this director nor anybody whom it hears has the addresses. */
function nobody(router: VirtualRouterStatus): readonly string[] {
  const { name, state, master, timers, reason } = router
  if (state === 'master') return []
  // Nothing was to be heard yet.
  if (reason === null || reason === 'shutdown') return []
  const isHeard = master !== null && master.last_heard_s * 1000 <= timers.master_down_interval_ms
  return isHeard ? [] : [`nobody is known to hold the addresses of virtual router ${name}`]
}

function unserved({ state, workers, upstreams }: ProxyStatus): readonly string[] {
  if (state === 'stopped' || state === 'stopping') {
    return [`the proxy is ${state}, as an administrator wished`]
  }
  const isServed = workers.some((worker) => worker.state === 'listening')
  return [
    ...(isServed ? [] : ['the proxy serves nobody: no worker listens']),
    ...upstreams
      .filter(({ peers }) => !peers.some((peer) => peer.state === 'up'))
      .map(({ name }) => `no server of upstream ${name} is up`)
  ]
}

function outOfElection({ name, state, effects }: VirtualRouterStatus): readonly string[] {
  if (state !== 'fault') return []
  const faults = effects.filter(({ is_fault: isFault }) => isFault).map(describe)
  const why = faults.length === 0 ? 'a fault is not over yet' : faults.join('; ')
  return [`virtual router ${name} is out of the election: ${why}`]
}

/** Nobody took the addresses, or they are still on their way. */
function masterInNeed({ name, state, effects }: VirtualRouterStatus): readonly string[] {
  if (state !== 'master') return []
  const failing = effects.filter(lowers).map(describe)
  if (failing.length === 0) return []
  return [`virtual router ${name} is master although ${failing.join('; ')}`]
}

function backupOnly(router: VirtualRouterStatus): readonly string[] {
  const { name, state, effects, master, effective_priority: priority } = router
  const wanted = router.priority_override ?? router.configured_priority
  const failing = effects.filter(lowers).map(describe)
  if (state !== 'backup' || failing.length === 0) return []
  if (master === null || master.priority >= wanted) return []
  return [
    `virtual router ${name} is backup only because ${failing.join('; ')} ` +
      `(priority ${priority} instead of ${wanted})`
  ]
}

/** Checks beside that of the service, where they matter to any virtual router. */
function otherFailures(routers: readonly VirtualRouterStatus[]): readonly string[] {
  return routers
    .flatMap(({ effects }) => effects)
    .filter((effect) => lowers(effect) && effect.what !== 'the service check')
    .map(describe)
}

function fewWorkers({ state, workers }: ProxyStatus, configured: number): readonly string[] {
  const listening = workers.filter((worker) => worker.state === 'listening').length
  if (state !== 'running' || listening === 0 || listening >= configured) return []
  return [`only ${listening} of ${configured} workers serve`]
}

function outPeers({ upstreams }: ProxyStatus): readonly string[] {
  return upstreams.flatMap(({ name, peers }) =>
    peers
      .filter(({ state }) => state === 'out')
      .map((peer) => `server ${peer.name} of upstream ${name} is out${after(peer.detail)}`)
  )
}

function refusedReload({ configuration }: Pick<Status, 'configuration'>): readonly string[] {
  const last = configuration.last_reload
  if (last === null || last.ok) return []
  return [`the last reload, at ${last.at}, was refused${after(last.lines[0] ?? null)}`]
}

function standsBack({ name }: VirtualRouterStatus): string {
  return `virtual router ${name} stands back until it is resumed, as an administrator wished`
}

function wishedPeers({ upstreams }: ProxyStatus): readonly string[] {
  return upstreams.flatMap(({ name, peers }) =>
    peers
      .filter(({ state }) => state === 'drain')
      .map((peer) => `server ${peer.name} of upstream ${name} gets no new clients (drain)`)
  )
}

function lowers({ added, is_fault: isFault }: PriorityEffect): boolean {
  return added < 0 || (added === 0 && !isFault)
}

function describe({ what, detail }: PriorityEffect): string {
  return detail === null ? what : `${what} ${detail}`
}

function after(detail: string | null): string {
  return detail === null ? '' : `: ${detail}`
}
