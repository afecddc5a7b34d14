/** A captured Ethernet frame. */
export interface Packet {
  /** When it was seen, in milliseconds since the epoch, with microseconds as fraction. */
  readonly at: number
  readonly bytes: Buffer
}

const FILE_HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16
const MAGIC_MICROSECONDS = 0xa1b2c3d4

/**
 * Reads a capture (pcap, microseconds, the byte order of this machine's tcpdump: little endian)
 * piece by piece, as it is written.
 */
export class PcapReader {
  #rest = Buffer.alloc(0)
  #headerRead = false

  /** The packets that are complete with this piece. @throws {Error} when it is no such capture */
  read(piece: Buffer): Packet[] {
    this.#rest = Buffer.concat([this.#rest, piece])
    const packets: Packet[] = []
    if (!this.#headerRead) {
      if (this.#rest.length < FILE_HEADER_BYTES) return packets
      if (this.#rest.readUInt32LE(0) !== MAGIC_MICROSECONDS) throw new Error('not a pcap file')
      this.#rest = this.#rest.subarray(FILE_HEADER_BYTES)
      this.#headerRead = true
    }
    while (this.#rest.length >= RECORD_HEADER_BYTES) {
      const length = this.#rest.readUInt32LE(8)
      if (this.#rest.length < RECORD_HEADER_BYTES + length) break
      packets.push({
        at: this.#rest.readUInt32LE(0) * 1000 + this.#rest.readUInt32LE(4) / 1000,
        bytes: Buffer.from(this.#rest.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + length))
      })
      this.#rest = this.#rest.subarray(RECORD_HEADER_BYTES + length)
    }
    return packets
  }
}
