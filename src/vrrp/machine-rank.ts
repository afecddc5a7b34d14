import { compareAddresses } from './wire/address.js'
import type { ElectionSettings, HeardEvent } from './model.js'

/** Who stays of two masters: the one of higher priority, or of the greater address (RFC 3768 §6.4.3). */
export function outranks(
  { priority, source }: HeardEvent,
  { primaryAddress }: ElectionSettings,
  ownPriority: number
): boolean {
  if (priority !== ownPriority) return priority > ownPriority
  return compareAddresses(source, primaryAddress) > 0
}
