declare module 'raw-socket' {
  import type { EventEmitter } from 'node:events'

  /** The part of raw-socket 1.8 that tsha uses. Errors carry strerror's text and no code. */
  export interface Socket extends EventEmitter {
    pauseRecv(): this
    resumeRecv(): this
    close(): this
  }

  const module: { createSocket(options: { protocol: number; bufferSize: number }): Socket }
  export default module
}
