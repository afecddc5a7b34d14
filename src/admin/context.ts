import type { DirectorClient } from './director-client.js'
import type { EventHistory } from './event-history.js'
import type { EventStreams } from './event-streams.js'
import type { RecordingMirror } from './recording-mirror.js'
import type { TokenCheck } from './token-check.js'

/** What the routes answer from: one for the whole process. */
export interface Context {
  readonly version: string
  readonly client: DirectorClient
  readonly history: EventHistory
  readonly streams: EventStreams
  readonly recording: RecordingMirror
  /** Names that requests may call this director by, in lower case. */
  readonly names: ReadonlySet<string>
}

/** Where requests come in: the unix socket, which its permissions protect, or a port with a token. */
export type Entrance =
  | { readonly place: 'socket' }
  | {
      readonly place: 'tcp'
      readonly token: TokenCheck
      readonly tls: { readonly certificate: Buffer; readonly key: Buffer } | null
    }

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without a token. */
    isOpen?: boolean
  }
}
