import { isAdvertisement } from './frame.js'
import type { Packet } from './pcap.js'

/** Between two advertisements of the pair's virtual router. */
const INTERVAL_MS = 1000

/** How late each advertisement of one sender came after the one before; early ones are 0. */
export function latenesses(packets: readonly Packet[]): readonly number[] {
  const times = packets.filter(isAdvertisement).map(({ at }) => at)
  return times.slice(1).map((at, index) => Math.max(0, at - (times[index] ?? at) - INTERVAL_MS))
}

/** `at most 12 ms late, median 1 ms of 60`. */
export function describeLatenesses(late: readonly number[]): string {
  const sorted = [...late].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  return `at most ${(sorted.at(-1) ?? 0).toFixed(1)} ms late, median ${median.toFixed(1)} ms of ${late.length}`
}
