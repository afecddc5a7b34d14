import type { CommandResult } from '../../admin/model.js'
import type { Config } from '../../config/model.js'
import { monotonicNow } from '../../linux/clock.js'
import { Commands } from './commands.js'
import type { Elections } from '../elections/elections.js'
import type { DirectorHealth } from '../health.js'
import type { Log } from '../log.js'
import type { FlightRecorder } from '../recording/flight-recorder.js'
import { PeerOrders } from './peer-orders.js'
import { ProxyOrders } from './proxy-orders.js'
import { RouterOrders } from './router-orders.js'
import type { RouterWishes } from './router-wishes.js'
import type { Replacement, WorkerSupervisor } from '../workers/worker-supervisor.js'

/** The parts of a director that runs, as orders move them. */
export interface OrderedDirector {
  /** The configuration that holds at the moment. */
  config(): Config
  readonly log: Log
  readonly recorder: FlightRecorder
  readonly wishes: RouterWishes
  /** The parts that there are at the moment: a reload may bring others. */
  elections(): Elections | null
  supervisor(): WorkerSupervisor | null
  readonly health: DirectorHealth
  /** Why nothing can be done at the moment; null when something can. */
  obstacle(): string | null
  reload(): Promise<CommandResult>
  reopenLogs(): Promise<boolean>
  replaceWorkers(): Promise<Replacement>
  prepareLogs(): Promise<void>
  /** What `systemctl status` shows. */
  tellStatus(status: string): void
}

/** Joins what orders are about with the parts that carry them out. */
export function takeOrders(director: OrderedDirector): Commands {
  const { log, recorder, wishes, health } = director
  const config = (): Config => director.config()
  const now = monotonicNow
  const routers = (elections: Elections): RouterOrders =>
    new RouterOrders({
      get configs() {
        return config().virtualRouters
      },
      get groups() {
        return config().syncGroups
      },
      wishes,
      elections,
      closeKept: (isOn) => director.supervisor()?.closeKept(isOn),
      now
    })
  const peers = (supervisor: WorkerSupervisor): PeerOrders =>
    new PeerOrders({
      get upstreams() {
        return config().proxy?.upstreams ?? []
      },
      supervisor
    })
  // One that lasts: it knows of the stop or start that goes on.
  const proxy = new ProxyOrders({
    get supervisor() {
      return director.supervisor()
    },
    get workers() {
      return config().proxy?.workers ?? 0
    },
    get elections() {
      return director.elections()
    },
    prepareLogs: () => director.prepareLogs(),
    tellStatus: (status) => {
      director.tellStatus(status)
    },
    setServiceStopped: (isStopped) => {
      health.setServiceStopped(isStopped)
    },
    checkServiceNow: () => {
      health.checkServiceNow()
    },
    now
  })
  return new Commands({
    log,
    recorder,
    obstacle: () => director.obstacle(),
    get routers() {
      const elections = director.elections()
      return elections && routers(elections)
    },
    get peers() {
      const supervisor = director.supervisor()
      return supervisor && peers(supervisor)
    },
    proxy,
    reload: () => director.reload(),
    reopenLogs: () => director.reopenLogs(),
    replaceWorkers: () => director.replaceWorkers()
  })
}
