declare module 'raw-socket' {
  import type { EventEmitter } from 'node:events'

  /** The part of raw-socket 1.8 that tsha uses. Errors carry strerror's text and no code. */
  export interface Socket extends EventEmitter {
    send(
      buffer: Buffer,
      offset: number,
      length: number,
      address: string,
      after: (error: Error | null, bytes: number) => void
    ): this
    setOption(level: number, option: number, value: number): void
    setOption(level: number, option: number, value: Buffer, length: number): void
    close(): this
  }

  const module: { createSocket(options: { protocol: number; bufferSize: number }): Socket }
  export default module
}
