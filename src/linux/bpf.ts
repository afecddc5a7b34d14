/**
 * Programs of classic BPF (linux/filter.h), which the kernel runs on each packet before a socket gets
 * it. They are lists of steps that are simply put one after the other: each either decides or lets the
 * packet go on to the next one. A load beyond the end of a packet drops it.
 */

/** `struct sock_filter`: code, jump if true, jump if false, operand. */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number]

/** Instructions that end in a decision or behind their last one. */
export type Steps = readonly Instruction[]

const LOAD_WORD = 0x20
const LOAD_HALF = 0x28
const LOAD_BYTE = 0x30
const LOAD_PACKET_LENGTH = 0x80
/** Added to a load: from the index instead of the start. */
const INDEXED = 0x20
const LOAD_INDEX = 0x01
const IF_EQUAL = 0x15
const IF_GREATER_OR_EQUAL = 0x35
const IF_GREATER = 0x25
const IF_NOT_BELOW_INDEX = 0x3d
const SUBTRACT = 0x14
const ADD_INDEX = 0x0c
const SHIFT_LEFT = 0x64
const STORE_IN_INDEX = 0x07
/** X = 4 × (low half of a byte): the length of an IPv4 header. */
const INDEX_IPV4_LENGTH = 0xb1
const JUMP = 0x05
const RETURN = 0x06

/** `ld #type` of linux/filter.h: how the packet came to us. */
const PACKET_TYPE = 0xfffff000 + 4
const PACKET_OTHERHOST = 3
/** The whole packet, whatever its length. */
const WHOLE = 0x40000
const INSTRUCTION_LENGTH = 8
const BYTES_PER_WORD = 4

/** How many bytes are compared at once. */
export type Width = 1 | 2 | 4

/** Where a field is: from the start of the packet, or from the index. */
export interface Field {
  readonly offset: number
  readonly width: Width
  readonly indexed?: boolean
}

export const ACCEPT: Steps = [[RETURN, 0, 0, WHOLE]]
export const DROP: Steps = [[RETURN, 0, 0, 0]]

/** Drops what is not for this machine, and what it sends itself. */
export const FOR_US: Steps = [
  [LOAD_BYTE, 0, 0, PACKET_TYPE],
  [IF_GREATER_OR_EQUAL, 0, 1, PACKET_OTHERHOST],
  ...DROP
]

/** Sets the index to the end of the IPv4 header that the packet begins with. */
export const INDEX_BEHIND_IPV4: Steps = [[INDEX_IPV4_LENGTH, 0, 0, 0]]

/** Adds to the index `scale` (a power of two) times the byte at a distance from it. */
export function advanceIndex(offset: number, scale: number): Steps {
  return [
    [LOAD_BYTE + INDEXED, 0, 0, offset],
    [SHIFT_LEFT, 0, 0, Math.log2(scale)],
    [ADD_INDEX, 0, 0, 0],
    [STORE_IN_INDEX, 0, 0, 0]
  ]
}

/** Sets the index to a fixed place. */
export function setIndex(offset: number): Steps {
  return [[LOAD_INDEX, 0, 0, offset]]
}

/** Goes on only if the field has the value; else `otherwise` decides. */
export function require(field: Field, value: number, otherwise: Steps = DROP): Steps {
  return [load(field), [IF_EQUAL, 0, 1, value], [JUMP, 0, 0, otherwise.length], ...otherwise]
}

/** Goes on only if the field is between two values, both included. */
export function requireRange(
  field: Field,
  min: number,
  max: number,
  otherwise: Steps = DROP
): Steps {
  return [
    load(field),
    [IF_GREATER_OR_EQUAL, 0, 1, min],
    [IF_GREATER, 0, otherwise.length, max],
    ...otherwise
  ]
}

/** Goes on only if the field has one of the values. */
export function requireAny(
  field: Field,
  values: readonly number[],
  otherwise: Steps = DROP
): Steps {
  const tests = values.flatMap((value, i): Instruction[] => [
    [IF_EQUAL, 0, 1, value],
    [JUMP, 0, 0, 2 * (values.length - 1 - i) + otherwise.length]
  ])
  return [load(field), ...tests, ...otherwise]
}

/** Goes on only if the packet has this many bytes behind the index. */
export function requireRoom(length: number, otherwise: Steps = DROP): Steps {
  return [
    [LOAD_PACKET_LENGTH, 0, 0, 0],
    [SUBTRACT, 0, 0, length],
    [IF_NOT_BELOW_INDEX, otherwise.length, 0, 0],
    ...otherwise
  ]
}

/** Goes on only if bytes, a multiple of four, stand at a place; else `otherwise` decides. */
export function requireBytes(
  offset: number,
  bytes: Uint8Array,
  otherwise: Steps = DROP,
  indexed = false
): Steps {
  return wordsOf(bytes).flatMap((word, i) =>
    require({ offset: offset + i * BYTES_PER_WORD, width: 4, indexed }, word, otherwise)
  )
}

/** Accepts the packet if bytes, a multiple of four, stand at a place; else goes on. */
export function acceptIfBytes(offset: number, bytes: Uint8Array): Steps {
  const words = wordsOf(bytes)
  return [
    ...words.flatMap((word, i): Instruction[] => [
      load({ offset: offset + i * BYTES_PER_WORD, width: 4 }),
      [IF_EQUAL, 0, 2 * (words.length - 1 - i) + 1, word]
    ]),
    ...ACCEPT
  ]
}

/** The program as the kernel takes it (SO_ATTACH_FILTER). */
export function assemble(steps: Steps): Uint8Array {
  const program = Buffer.alloc(steps.length * INSTRUCTION_LENGTH)
  steps.forEach(([code, ifTrue, ifFalse, operand], i) => {
    program.writeUInt16LE(code, i * INSTRUCTION_LENGTH)
    program.writeUInt8(ifTrue, i * INSTRUCTION_LENGTH + 2)
    program.writeUInt8(ifFalse, i * INSTRUCTION_LENGTH + 3)
    program.writeUInt32LE(operand, i * INSTRUCTION_LENGTH + 4)
  })
  return program
}

function load({ offset, width, indexed = false }: Field): Instruction {
  const absolute = { 1: LOAD_BYTE, 2: LOAD_HALF, 4: LOAD_WORD }[width]
  return [indexed ? absolute + INDEXED : absolute, 0, 0, offset]
}

function wordsOf(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / BYTES_PER_WORD }, (_, i) =>
    view.getUint32(i * BYTES_PER_WORD)
  )
}
