import { setTimeout as delay } from 'node:timers/promises'
import type { Status } from '../admin/model.js'
import { ACT_MS } from './act.js'
import type { AdminClient } from './client.js'
import { write, writeLines } from './output.js'
import { fullName, pickPeers, type PickedPeer } from './pick.js'
import { Refusal } from './refusal.js'
import { openClient } from './status.js'
import { flagError, readDuration, readNumber, type TargetFlags } from './target.js'
import { count } from './words.js'

export interface PeerFlags extends TargetFlags {
  /** As it was typed: a name, a host or the beginning of one. */
  readonly peer: string
  readonly all: boolean | undefined
}

/** How long `--wait` waits when nothing else is said. */
const WAIT_MS = 600_000
const POLL_MS = 500

/** `tsha up`, `tsha down`. @returns the exit code */
export async function movePeer(flags: PeerFlags, state: 'up' | 'down'): Promise<number> {
  const client = await openClient(flags, ACT_MS)
  await tellPeers(client, flags, { state })
  return 0
}

/** `tsha weight`. @returns the exit code */
export async function weighPeer(flags: PeerFlags & { readonly weight: string }): Promise<number> {
  const weight = readNumber('WEIGHT', flags.weight, [1, 65_535])
  const client = await openClient(flags, ACT_MS)
  await tellPeers(client, flags, { weight })
  return 0
}

/** `tsha drain`. @returns the exit code; 1 when requests were still in flight at the end of the wait */
export async function drainPeer(
  flags: PeerFlags & { readonly wait: boolean | undefined; readonly 'at-most': string | undefined }
): Promise<number> {
  const { wait = false, 'at-most': atMost } = flags
  if (atMost !== undefined && !wait) throw flagError('--at-most belongs to --wait')
  const limitMs = atMost === undefined ? WAIT_MS : readDuration('--at-most', atMost)
  const client = await openClient(flags, ACT_MS)
  const picked = await tellPeers(client, flags, { state: 'drain' })
  return wait ? await waitUntilEmpty(client, picked, limitMs) : 0
}

async function tellPeers(
  client: AdminClient,
  { peer: typed, all = false }: PeerFlags,
  wish: Readonly<Record<string, unknown>>
): Promise<readonly PickedPeer[]> {
  const picked = pickPeers(typed, await client.status(), all)
  for (const { upstream, peer } of picked) {
    const path = `/v1/upstreams/${encodeURIComponent(upstream)}/peers/${encodeURIComponent(peer.name)}`
    await writeLines(await client.command(path, wish))
  }
  return picked
}

async function waitUntilEmpty(
  client: AdminClient,
  picked: readonly PickedPeer[],
  limitMs: number
): Promise<number> {
  const names = picked.map(fullName)
  const startedAt = performance.now()
  let told = -1
  for (;;) {
    const left = inFlight(await client.status(), names)
    if (left === 0) {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      await write(`${names.join(', ')}: nothing in flight any more, after ${seconds} s\n`)
      return 0
    }
    if (performance.now() - startedAt > limitMs) {
      const what = `${count(left, 'request')} still in flight at ${names.join(', ')}`
      throw new Refusal(
        'TSHA_E_CONFLICT',
        `${what}; it goes on draining, and ${limitMs / 1000} s are over`
      )
    }
    // Progress is for people; what is piped gets the result.
    if (left !== told) process.stderr.write(`${names.join(', ')}: ${left} in flight\n`)
    told = left
    await delay(POLL_MS)
  }
}

/** @throws {Refusal} when one is gone, or somebody else has put it back */
function inFlight({ proxy }: Status, names: readonly string[]): number {
  const peers = (proxy?.upstreams ?? []).flatMap(({ name: upstream, peers }) =>
    peers.map((peer) => ({ upstream, peer }))
  )
  return names.reduce((total, name) => {
    const found = peers.find((picked) => fullName(picked) === name)
    if (found === undefined) throw new Refusal('TSHA_E_UNKNOWN_NAME', `${name} is gone`)
    const { state, traffic } = found.peer
    if (state === 'up') {
      throw new Refusal('TSHA_E_CONFLICT', `${name} takes requests again: somebody has put it back`)
    }
    return total + traffic.in_flight
  }, 0)
}
