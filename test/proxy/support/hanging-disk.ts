import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/**
 * To be loaded before a program (`--import`): whatever it writes with the word `hanging` in it holds a
 * thread of libuv's pool for ever, as a disk does whose server is gone. HANGING_FIFO names a FIFO that
 * nobody reads: opening it for writing never returns.
 */
const fifo = process.env['HANGING_FIFO'] ?? ''
const { write } = fs

function hang(fd: number, bytes: Buffer, ...rest: unknown[]): void {
  if (bytes.includes('hanging')) fs.open(fifo, 'w', () => undefined)
  else Reflect.apply(write, fs, [fd, bytes, ...rest])
}

Object.assign(fs, { write: hang })
syncBuiltinESMExports()
