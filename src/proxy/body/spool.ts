import type { BodyFiles, DiskWaiter } from './body-files.js'
import { TempFile } from './temp-file.js'

/** What is read back at once, and the same while memory is short. */
const PIECE = 64 * 1024
const SMALL_PIECE = 16 * 1024

/** Who asks for what the disk does, and hears how it went: with the system's error, or null. */
export interface SpoolOwner {
  /** The file was made, or bytes were appended. After an error `size` tells what is in it. */
  onStored(error: Error | null): void
  /** The next piece is here. */
  onLoaded(error: Error | null): void
}

type Call = 'open()' | 'write()' | 'read()'

/**
 * The part of one request body that is in a temporary file: first written to its end, then read from
 * the begin, as often as the body is sent. One operation at a time is waited for.
 */
export class Spool implements DiskWaiter {
  /** Bytes of the body that are in the file. */
  size = 0
  readonly #files: BodyFiles
  readonly #owner: SpoolOwner
  #file: TempFile | null = null
  /** Where the next piece begins. */
  #position = 0
  #piece: Buffer | null = null
  /** Memory of the piece that is read, here, or with the connection. */
  #held = 0
  /** What is waited for; a result with an older serial comes too late. */
  #call: Call | null = null
  #serial = 0

  constructor(files: BodyFiles, owner: SpoolOwner) {
    this.#files = files
    this.#owner = owner
  }

  /** Whether the disk has not answered yet. */
  get isBusy(): boolean {
    return this.#call !== null
  }

  /** Makes the file. */
  open(): void {
    const serial = this.#begin('open()')
    TempFile.create(this.#files.directory, (error, file) => {
      if (file !== null && serial !== this.#serial) {
        file.close()
        return
      }
      if (file !== null) this.#files.open++
      this.#file = file
      this.#end(serial, error)
    })
  }

  /** Appends buffers, which must not change. */
  append(buffers: readonly Buffer[]): void {
    const serial = this.#begin('write()')
    this.#file?.write(buffers, this.size, (error, written) => {
      if (serial === this.#serial) this.size += written
      this.#end(serial, error)
    })
  }

  /** Whether bytes of the file were not sent yet. */
  get hasRest(): boolean {
    return this.#piece !== null || this.#position < this.size
  }

  /** Whether the next of them are here. */
  get hasPiece(): boolean {
    return this.#piece !== null
  }

  /** The next bytes, or null if they are not here. */
  takePiece(): Buffer | null {
    const piece = this.#piece
    this.#piece = null
    if (piece !== null) this.#position += piece.length
    return piece
  }

  /** The piece that was taken has left; begins to read the next one, if there is one. */
  load(): void {
    if (this.isBusy || this.#piece !== null) return
    const { budget } = this.#files
    budget.drop(this.#held)
    this.#held = Math.min(budget.isTight ? SMALL_PIECE : PIECE, this.size - this.#position)
    if (this.#held === 0 || this.#file === null) return
    budget.hold(this.#held)
    const piece = Buffer.allocUnsafeSlow(this.#held)
    const serial = this.#begin('read()')
    this.#file.read(piece, this.#position, (error) => {
      if (serial === this.#serial && error === null) this.#piece = piece
      this.#end(serial, error)
    })
  }

  /** Begins again with the first byte; who waited hears nothing more. */
  rewind(): void {
    this.#stopWaiting()
    this.#files.budget.drop(this.#held)
    this.#held = 0
    this.#piece = null
    this.#position = 0
  }

  /** Closes the file; who waited hears nothing more. */
  close(): void {
    this.rewind()
    this.size = 0
    if (this.#file === null) return
    this.#files.open--
    this.#file.close()
    this.#file = null
  }

  onTimeout(error: Error): void {
    this.#end(this.#serial, error)
  }

  #begin(call: Call): number {
    this.#call = call
    this.#files.await(this)
    return ++this.#serial
  }

  #end(serial: number, error: Error | null): void {
    const call = this.#call
    if (serial !== this.#serial || call === null) return
    this.#stopWaiting()
    if (error !== null) this.#files.failed(call, error)
    if (call === 'read()') this.#owner.onLoaded(error)
    else this.#owner.onStored(error)
  }

  #stopWaiting(): void {
    if (this.#call === null) return
    this.#call = null
    this.#serial++
    this.#files.settle(this)
  }
}
