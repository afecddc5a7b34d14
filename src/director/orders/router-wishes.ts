import type { SyncGroup, VirtualRouterConfig } from '../../config/model.js'
import type { Effect, RouterConditions } from '../elections/conditions.js'

/** What an administrator wants of a virtual router. */
export interface RouterWish {
  /** It stands back: it is master only while nobody else is. */
  readonly isSteppedDown: boolean
  /** In the place of the configured priority, 1 to 254; null keeps that. */
  readonly priority: number | null
}

const NONE: RouterWish = { isSteppedDown: false, priority: null }
const OWNER = 255
/** Every partner that may preempt does. */
const LOWEST = 1

/**
 * What an administrator wants of the virtual routers, by name: it outlives an interface that comes back
 * and another configuration, and ends with the director.
 */
export class RouterWishes {
  readonly #wishes = new Map<string, RouterWish>()

  of(name: string): RouterWish {
    return this.#wishes.get(name) ?? NONE
  }

  set(name: string, change: Partial<RouterWish>): void {
    this.#wishes.set(name, { ...this.of(name), ...change })
  }
}

/** The configuration of a virtual router with the priority that is wanted. */
export function withWishedPriority(
  router: VirtualRouterConfig,
  { priority }: RouterWish
): VirtualRouterConfig {
  return priority === null || router.priority === OWNER ? router : { ...router, priority }
}

/**
 * What all of it comes to for one that may have stepped down. The lowest priority is enough: it takes
 * over from nobody, and yet without delay where nobody else is. Only an address owner has no lower one,
 * and takes over as one that cannot serve.
 */
export function withStepDown(
  conditions: RouterConditions,
  { isSteppedDown }: RouterWish
): RouterConditions {
  if (!isSteppedDown) return conditions
  const isOwner = conditions.priority === OWNER
  const order: Effect = {
    what: 'an administrator',
    verb: 'has it stand back until it is resumed',
    detail: null,
    since: null,
    added: isOwner ? 0 : LOWEST - conditions.priority,
    isFault: false,
    isAwaited: false
  }
  const effects = [order, ...conditions.effects]
  if (isOwner) return { ...conditions, serviceUp: false, effects }
  return { ...conditions, priority: LOWEST, effects }
}

/**
 * The virtual routers that move when these do: the members of their sync groups with them, in the
 * order of `all`.
 */
export function withGroups(
  names: readonly string[],
  groups: readonly Pick<SyncGroup, 'members'>[],
  all: readonly string[]
): readonly string[] {
  const found = new Set(names)
  for (let size = 0; size !== found.size;) {
    size = found.size
    for (const { members } of groups) {
      if (members.some((member) => found.has(member))) for (const name of members) found.add(name)
    }
  }
  return all.filter((name) => found.has(name))
}
