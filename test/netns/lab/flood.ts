import koffi from 'koffi'

/**
 * Sends frames as fast as asked, a program of its own: `node flood.js DEVICE RATE SECONDS PATTERN…` sends
 * RATE frames per second, the patterns in turn, and prints how many it has sent. A pattern is a whole
 * IPv4 frame in hexadecimal; `..` in it is a byte that differs from frame to frame, so that senders do.
 * The checksum of its IP header is filled in.
 */

const AF_PACKET = 17
const SOCK_RAW = 3
const ADDRESS_BYTES = 20
/** Values of `..`: 20 to 219. */
const FIRST_VALUE = 20
const VALUES = 200

const IP_START = 14
const IP_END = 34
const IP_CHECKSUM = 24

const libc = koffi.load(null)
const socket = libc.func('int socket(int domain, int type, int protocol)')
const bind = libc.func('int bind(int fd, const uint8_t *address, uint32_t length)')
const ifNameToIndex = libc.func('uint32_t if_nametoindex(const char *name)')
const send = libc.func('intptr_t send(int fd, const uint8_t *frame, size_t length, int flags)')

const [device = '', rate = '', seconds = '', ...patterns] = process.argv.slice(2)
const perSecond = Number(rate)
const total = perSecond * Number(seconds)

/** The kernel drops a packet without it before anybody sees it (RFC 1071). */
function withChecksum(frame: Buffer): Buffer {
  let sum = 0
  for (let i = IP_START; i < IP_END; i += 2) sum += i === IP_CHECKSUM ? 0 : frame.readUInt16BE(i)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  frame.writeUInt16BE(~sum & 0xffff, IP_CHECKSUM)
  return frame
}

const frames = Array.from({ length: VALUES }, (_, i) => (FIRST_VALUE + i).toString(16)).flatMap(
  (value) =>
    patterns.map((pattern) =>
      withChecksum(Buffer.from(pattern.replaceAll('..', value.padStart(2, '0')), 'hex'))
    )
)

const fd = Number(socket(AF_PACKET, SOCK_RAW, 0))
const address = Buffer.alloc(ADDRESS_BYTES)
address.writeUInt16LE(AF_PACKET, 0)
address.writeInt32LE(Number(ifNameToIndex(device)), 4)
if (fd < 0 || Number(bind(fd, address, ADDRESS_BYTES)) < 0)
  throw new Error(`no socket on ${device}`)

const beginning = process.hrtime.bigint()
let tried = 0
let sent = 0
const ticking = setInterval(() => {
  const elapsedMs = Number(process.hrtime.bigint() - beginning) / 1e6
  const due = Math.min(total, Math.floor((elapsedMs * perSecond) / 1000))
  for (; tried < due; tried += 1) {
    const frame = frames[tried % frames.length]
    if (frame && Number(send(fd, frame, frame.length, 0)) > 0) sent += 1
  }
  if (tried < total) return
  clearInterval(ticking)
  process.stdout.write(`${sent}\n`)
}, 1)
