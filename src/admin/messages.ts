import type { AdminEvent, Command, CommandResult, Status } from './model.js'

/**
 * The messages between the director process and the admin process, which speaks HTTP in its place. The
 * director answers each command with one message of the same `id`, and questions for the status that come
 * close together with one answer to the last of them; it never waits for the admin
 * process, and drops what that does not take.
 */

/** How the admin process serves; compiled from the configuration by the director. */
export interface AdminConfig {
  /** Path of the unix socket, mode 0660; null opens none. */
  readonly socket: string | null
  /** Group that may use it; null keeps the director's own. */
  readonly socketGroup: string | null
  /** Null opens none. */
  readonly listen: AdminListen | null
  /** Directory of recordings that are written when the director dies; null writes none. */
  readonly recordings: string | null
}

export interface AdminListen {
  readonly host: string
  readonly port: number
  /** File with the bearer token; read by the admin process, never told. */
  readonly tokenFile: string
  readonly tls: { readonly certificate: string; readonly key: string } | null
  /** Names that requests may call this director by, besides its addresses and its own name. */
  readonly hostNames: readonly string[]
}

/** What the director tells the admin process. */
export type DirectorToAdmin =
  | {
      readonly type: 'start'
      readonly config: AdminConfig
      /** Whom the process becomes when it runs as root; null keeps what it is. */
      readonly user: { readonly uid: number; readonly gid: number } | null
      /** Group id of the socket; null keeps the director's own group. */
      readonly socketGid: number | null
      readonly version: string
    }
  | { readonly type: 'status'; readonly id: number; readonly status: Status }
  | { readonly type: 'result'; readonly id: number; readonly result: CommandResult }
  /** New events, oldest first; at the start all that are kept. */
  | { readonly type: 'events'; readonly events: readonly AdminEvent[] }
  /** Lines of the flight recording, each one JSON, in order. `reset` throws away what was kept. */
  | { readonly type: 'recording'; readonly reset: boolean; readonly lines: readonly string[] }
  /** The director ends as it was asked to: no recording is to be written. */
  | { readonly type: 'stopping' }

/** What the admin process tells the director. */
export type AdminToDirector =
  | { readonly type: 'ready' }
  | { readonly type: 'listening'; readonly where: readonly string[] }
  /** It cannot serve at one of its places, and says why; it goes on with the others. */
  | { readonly type: 'refused'; readonly where: string; readonly message: string }
  /** Something for the log, rarely: requests with a wrong token. */
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'status'; readonly id: number }
  /** `by` says who asked, for the log: `the socket`, `10.0.0.7`. */
  | {
      readonly type: 'command'
      readonly id: number
      readonly command: Command
      readonly by: string
    }
