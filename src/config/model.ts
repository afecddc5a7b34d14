import type { ProxyConfig } from '../proxy/model.js'

/**
 * The one configuration model of tsha: what every front end (`tsha.yaml`, `keepalived.conf`,
 * `nginx.conf`) comes to, with all defaults filled in and every reference checked. All durations are
 * milliseconds.
 */

/** Which of the two directors this one is. */
export type Role = 'master' | 'backup'

/** How a director gives its addresses away when its service check fails. */
export type HandOver =
  /** Advertise priority 0 at once, keep the addresses until the new master is heard. */
  | 'make-before-break'
  /** Lower the priority and wait for the partner's Master_Down_Interval. */
  | 'keepalived'

/** A script that is run regularly; its exit status 0 is a pass. keepalived's `vrrp_script`. */
export interface ScriptCheck {
  readonly name: string
  /** Program and arguments; the program is an absolute path. */
  readonly command: readonly string[]
  readonly intervalMs: number
  /** A script that runs longer has failed and is killed. */
  readonly timeoutMs: number
  /** Consecutive passes that make a failed check pass. */
  readonly rise: number
  /** Consecutive failures that make a passed check fail. */
  readonly fall: number
}

/** The check of our own proxy: a request through its listener, and the workers' liveness. */
export interface ServiceCheck {
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly rise: number
  readonly fall: number
}

/** A check that a virtual router follows. */
export interface Track {
  /** `service`, or the name of a script check. */
  readonly check: string
  /** Added to the priority: negative while the check fails, positive while it passes; -253 to 253, not 0. */
  readonly weight: number
}

/** An IPv4 address with its prefix length. */
export interface VirtualAddress {
  readonly address: string
  readonly prefixLength: number
}

/** One VRRPv2 election that this director takes part in. */
export interface VirtualRouterConfig {
  readonly name: string
  readonly interface: string
  /** 1 to 255. */
  readonly vrid: number
  /** 1 to 254. */
  readonly priority: number
  /** Whole seconds in VRRPv2: 1000 to 255000. */
  readonly advertIntervalMs: number
  /** At most 8 bytes of ASCII; null sends no authentication. */
  readonly password: string | null
  /** 1 to 255 of them. */
  readonly addresses: readonly VirtualAddress[]
  readonly track: readonly Track[]
  readonly handOver: HandOver
  /** Life of an address in the kernel, whole seconds, renewed at a third of it; null is for ever. */
  readonly addressLeaseMs: number | null
}

/** Everything one director does. At least one of `virtualRouters` and `proxy` is there. */
export interface Config {
  readonly role: Role | null
  /** Name of this director in its log; keepalived's `router_id`. */
  readonly routerId: string
  readonly virtualRouters: readonly VirtualRouterConfig[]
  readonly scripts: readonly ScriptCheck[]
  /** Present whenever a virtual router tracks `service`. */
  readonly serviceCheck: ServiceCheck | null
  readonly proxy: ProxyConfig | null
  /** Where the process id is written; null writes none. */
  readonly pidFile: string | null
}

/** A configuration together with what its reader should be told. */
export interface LoadedConfig {
  readonly config: Config
  /** Directives that were read and have no meaning for tsha, such as `sendfile`, in order, once each. */
  readonly ignored: readonly string[]
  /** Sentences about what tsha does differently with this configuration, for the log at start. */
  readonly notes: readonly string[]
}
