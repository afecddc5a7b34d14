import { z } from 'zod'
import { absolutePath, accountName, parsed, section, switchOff, text } from './schema-parts.js'
import { parseListen } from './units.js'

/*
 * How administrators reach tsha: the `admin` key. Its rules that join several values are in
 * admin-rules.ts.
 */

/** Where the admin process listens when nothing else is said. */
export const DEFAULT_SOCKET = '/run/tsha/admin.sock'

/** A unix socket's path has this many bytes at most (sun_path of unix(7), less its end). */
const MAX_SOCKET_BYTES = 107

const socketPath = absolutePath().refine((path) => Buffer.byteLength(path) <= MAX_SOCKET_BYTES, {
  error: `is too long for a socket; use at most ${MAX_SOCKET_BYTES} bytes`
})

const socket = z.union([z.literal('off'), socketPath], {
  error: 'is not a socket; use an absolute path or off'
})

const directory = z.union([z.literal('off'), absolutePath()], {
  error: 'is not a directory; use an absolute path or off'
})

const adminSection = section({
  socket: socket.default(DEFAULT_SOCKET),
  socket_group: accountName.optional(),
  listen: parsed(
    'an address with a port, such as "127.0.0.1:9112" or "[::1]:9112"',
    parseListen
  ).optional(),
  token_file: absolutePath().optional(),
  tls: section({ certificate: absolutePath(), key: absolutePath() }).optional(),
  allow_remote: switchOff(),
  host_names: z
    .array(text('a host name', /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/), {
      error: 'is not a list; use host names such as [director1.example.org]'
    })
    .default([]),
  recordings: directory.default('/var/lib/tsha')
})

export const admin = z.union([z.literal('off'), adminSection], {
  error: 'is not an admin section; use a mapping such as { socket: /run/tsha/admin.sock }, or off'
})

/** `admin` of a validated configuration. */
export type ValidAdmin = z.output<typeof admin>
