import { createHash, timingSafeEqual } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'

const MIN_LENGTH = 16
const MAX_LENGTH = 4096
/** Read by everybody, or written by others than the owner. */
const OPEN_TO_OTHERS = 0o027

/** The bearer token of the admin API; it keeps only the digest. */
export class Token {
  readonly #digest: Buffer

  constructor(secret: string) {
    this.#digest = digestOf(secret)
  }

  /** Whether an `Authorization` header has it; takes the same time whatever it has. */
  isIn(authorization: string | undefined): boolean {
    const given = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1] ?? ''
    return timingSafeEqual(digestOf(given), this.#digest)
  }
}

/**
 * Reads the file of the token: its first line.
 *
 * @throws an Error that says what is wrong with it, without the token
 */
export function readToken(file: string): Token {
  const descriptor = openSync(file, 'r')
  let text: string
  try {
    const { mode, size } = fstatSync(descriptor)
    if ((mode & OPEN_TO_OTHERS) !== 0) {
      const found = (mode & 0o777).toString(8).padStart(4, '0')
      throw new Error(`token file ${file} is open to others (mode ${found}); use mode 0600 or 0640`)
    }
    if (size > MAX_LENGTH) throw new Error(`token file ${file} is longer than ${MAX_LENGTH} bytes`)
    text = readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
  const secret = text.split('\n')[0]?.trim() ?? ''
  if (secret.length < MIN_LENGTH) {
    throw new Error(
      `the token in ${file} has ${secret.length} characters; use at least ${MIN_LENGTH}, such as those of: openssl rand -hex 32`
    )
  }
  if (!/^[\x21-\x7e]+$/.test(secret)) {
    throw new Error(`the token in ${file} has blanks or characters beyond ASCII`)
  }
  return new Token(secret)
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
