import { HMAC_KEY_BYTES } from './router-schema.js'

/** Where the text of a key is when it is written as `file:/path`; null for a key that is there itself. */
export function keyFileOf(key: string): string | null {
  return key.startsWith('file:') ? key.slice('file:'.length) : null
}

/** Bytes of a key, or why it is none, as the end of a sentence that has no secret in it. */
export type KeyBytes =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string }

/** Decodes a key as keepalived does: `hex:` and digits, or the text itself. */
export function decodeKey(key: string): KeyBytes {
  const { min, max } = HMAC_KEY_BYTES
  const range = `use ${min} to ${max} bytes`
  if (!key.startsWith('hex:')) return sized(Uint8Array.from(Buffer.from(key, 'utf8')), range)
  const digits = key.slice('hex:'.length)
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) {
    return { ok: false, reason: `has something else than pairs of hex digits; ${range}` }
  }
  return sized(Uint8Array.from(Buffer.from(digits, 'hex')), range)
}

function sized(bytes: Uint8Array, range: string): KeyBytes {
  const { min, max } = HMAC_KEY_BYTES
  if (bytes.length < min)
    return { ok: false, reason: `has ${bytes.length} bytes, which is too short; ${range}` }
  if (bytes.length > max)
    return { ok: false, reason: `has ${bytes.length} bytes, which is too long; ${range}` }
  return { ok: true, bytes }
}
