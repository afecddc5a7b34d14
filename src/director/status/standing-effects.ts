import type { Effect } from '../elections/conditions.js'

/** What holds for a virtual router besides everything that it follows. */
export interface OwnTroubles {
  /** Its addresses cannot be added to the interface. */
  readonly cannotHold: boolean
  /** Somebody takes its addresses away again and again; whether that is a fault at once. */
  readonly isYielding: boolean
  readonly makesBeforeBreak: boolean
  /** Name of its interface, or of another one with an address of it, that is gone; null for none. */
  readonly goneInterface: string | null
  /** The source address of its advertisements, when it is not there. */
  readonly missingSource: string | null
  /** Another member of its sync group does not serve. */
  readonly groupFails: boolean
  /** Another member of its sync group has a fault. */
  readonly groupHasFault: boolean
}

/** The same in the form of what is followed, for those who ask why. */
export function ownEffects(troubles: OwnTroubles): readonly Effect[] {
  const { goneInterface, missingSource, isYielding, makesBeforeBreak } = troubles
  const found: readonly (Effect | null)[] = [
    goneInterface === null ? null : own(`interface ${goneInterface}`, 'is gone', true),
    missingSource === null
      ? null
      : own(`the source address ${missingSource}`, 'is not there', true),
    troubles.cannotHold ? own('the virtual addresses', 'cannot be held', true) : null,
    isYielding
      ? own('somebody', 'takes our virtual addresses away again and again', !makesBeforeBreak)
      : null,
    troubles.groupHasFault ? own('another member of the sync group', 'has a fault', true) : null,
    troubles.groupFails && !troubles.groupHasFault
      ? own('another member of the sync group', 'does not serve', false)
      : null
  ]
  return found.filter((effect) => effect !== null)
}

function own(what: string, verb: string, isFault: boolean): Effect {
  return { what, verb, detail: null, since: null, added: 0, isFault, isAwaited: false }
}
