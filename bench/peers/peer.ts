import type { Fleet, Program } from '../fleet.js'

/** What a proxy is started with. */
export interface PeerSetup {
  readonly fleet: Fleet
  /** Name of its files. */
  readonly name: string
  /** The commands to be put before its own: its core, its limit of open files. */
  readonly prefix: readonly string[]
  /** Port of the loopback interface on which it listens. */
  readonly port: number
  /** Ports of the web servers. */
  readonly upstreams: readonly [number, number]
  /** Connections that it has to be able to hold. */
  readonly connections: number
  /** The Node that runs tsha. */
  readonly node: string
}

/** A proxy that is measured. */
export interface Peer {
  readonly title: string
  /** The program that must be installed, or null when it comes with this repository. */
  readonly needs: string | null
  /** What it says when all of its processes have started, if it says that after it listens. */
  readonly lastWord?: string
  /** Starts it; it listens a moment later. */
  start(setup: PeerSetup): Program
}
