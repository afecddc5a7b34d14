import { crc32, deflateSync, inflateSync } from 'node:zlib'

/*
 * Screenshots with the 256 commonest of their colours, in a third of the bytes. Only what Chromium
 * writes is read: 8 bits for each of red, green and blue, not interlaced (PNG, 3rd edition).
 */

const SIGNATURE_BYTES = 8
const BYTES = 3
const MOST_COLOURS = 256

interface Picture {
  readonly width: number
  readonly height: number
  /** Rows of red, green, blue. */
  readonly pixels: Buffer
}

/** @throws {RangeError} when it is no such picture */
export function withPalette(png: Buffer): Buffer {
  const { width, height, pixels } = read(png)
  const counts = new Map<number, number>()
  for (let at = 0; at < pixels.length; at += BYTES) {
    const colour = pixels.readUIntBE(at, BYTES)
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a).map(([colour]) => colour)
  const palette = sorted.slice(0, MOST_COLOURS)
  const places = new Map(sorted.map((colour) => [colour, nearest(palette, colour)]))
  const rows = Buffer.alloc((width + 1) * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = pixels.readUIntBE((y * width + x) * BYTES, BYTES)
      rows[y * (width + 1) + 1 + x] = places.get(colour) ?? 0
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3], 8)
  const colours = Buffer.alloc(palette.length * BYTES)
  palette.forEach((colour, index) => colours.writeUIntBE(colour, index * BYTES, BYTES))
  return Buffer.concat([
    png.subarray(0, SIGNATURE_BYTES),
    chunk('IHDR', header),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0))
  ])
}

function nearest(palette: readonly number[], colour: number): number {
  let [best, least] = [0, Infinity]
  for (const [index, each] of palette.entries()) {
    const distance = [16, 8, 0].reduce(
      (sum, shift) => sum + (((each >> shift) & 255) - ((colour >> shift) & 255)) ** 2,
      0
    )
    if (distance < least) [best, least] = [index, distance]
    if (least === 0) break
  }
  return best
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  body.copy(framed, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}

function read(png: Buffer): Picture {
  const data: Buffer[] = []
  for (let at = SIGNATURE_BYTES; at + 12 <= png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) !== 'IDAT') continue
    data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  }
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const kind = png.subarray(24, 29).toString('hex')
  if (kind !== '0802000000') throw new RangeError(`a PNG of another kind: ${kind}`)
  return { width, height, pixels: unfilter(inflateSync(Buffer.concat(data)), width, height) }
}

/** Undoes what was done to each row: it is told from its neighbours. */
function unfilter(rows: Buffer, width: number, height: number): Buffer {
  const size = width * BYTES
  const pixels = Buffer.alloc(size * height)
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (size + 1)] ?? 0
    for (let x = 0; x < size; x++) {
      const at = y * size + x
      const left = x < BYTES ? 0 : (pixels[at - BYTES] ?? 0)
      const above = y === 0 ? 0 : (pixels[at - size] ?? 0)
      const corner = x < BYTES || y === 0 ? 0 : (pixels[at - size - BYTES] ?? 0)
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter] ?? 0
      pixels[at] = ((rows[y * (size + 1) + 1 + x] ?? 0) + guess) & 255
    }
  }
  return pixels
}

function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner
  const [a, b, c] = [left, above, corner].map((each) => Math.abs(guess - each)) as [
    number,
    number,
    number
  ]
  return a <= b && a <= c ? left : b <= c ? above : corner
}
