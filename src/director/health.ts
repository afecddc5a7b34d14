import { randomBytes } from 'node:crypto'
import type { Config, ScriptCheck, VirtualRouterConfig } from '../config/model.js'
import { scriptCheck } from '../health/checks/script.js'
import { serviceCheck } from '../health/checks/service.js'
import { CheckScheduler } from '../health/scheduler.js'
import { withoutCapabilities } from '../linux/capabilities.js'
import type { User } from '../linux/users.js'
import type { Conditions } from '../vrrp/model.js'
import { effectivePriority } from './effective-priority.js'
import type { Log } from './log.js'

/** The name under which a virtual router tracks our own proxy. */
const SERVICE = 'service'

/** The checks of this director, and what they mean for each virtual router. */
export class DirectorHealth {
  /** Known to the workers: a request that carries it is the service check. */
  readonly checkToken = randomBytes(16).toString('hex')
  readonly #checks = new Map<string, CheckScheduler>()

  /**
   * @param scriptUser whom scripts run as; null keeps ours
   * @param onChange told after each change of a check's status
   */
  constructor(config: Config, scriptUser: User | null, log: Log, onChange: () => void) {
    const add = (name: string, check: CheckScheduler): void => void this.#checks.set(name, check)
    const tell = (name: string) => (isUp: boolean, detail: string) => {
      log[isUp ? 'info' : 'warn']({ check: name, detail }, isUp ? 'check passes' : 'check fails')
      onChange()
    }
    for (const script of config.scripts) {
      add(script.name, new CheckScheduler(runScript(script, scriptUser), script, tell(script.name)))
    }
    const { proxy, serviceCheck: service } = config
    if (proxy && service) {
      const listeners = proxy.servers.map((server) => server.listen)
      const unique = [...new Map(listeners.map((l) => [`${l.host} ${l.port}`, l])).values()]
      const run = serviceCheck({
        listeners: unique,
        timeoutMs: service.timeoutMs,
        token: this.checkToken
      })
      add(SERVICE, new CheckScheduler(run, service, tell(SERVICE)))
    }
  }

  start(): void {
    for (const check of this.#checks.values()) check.start()
  }

  stop(): void {
    for (const check of this.#checks.values()) check.stop()
  }

  /** Something happened to the workers: the service is checked now rather than at its next turn. */
  checkServiceNow(): void {
    this.#checks.get(SERVICE)?.runNow()
  }

  /** What the checks so far mean for a virtual router. A check without a result changes nothing. */
  conditionsOf(router: VirtualRouterConfig): Conditions {
    const results = router.track.map(({ check, weight }) => ({
      weight,
      isUp: this.#checks.get(check)?.isUp ?? null
    }))
    return {
      priority: effectivePriority(router.priority, results),
      // A check that lowers the priority tells of a fault; one that raises it, of a preference.
      serviceUp: !results.some(({ weight, isUp }) => weight < 0 && isUp === false)
    }
  }
}

function runScript(script: ScriptCheck, user: User | null): ReturnType<typeof scriptCheck> {
  const { command, timeoutMs } = script
  return scriptCheck({ command, timeoutMs, uid: user?.uid, gid: user?.gid }, withoutCapabilities)
}
