import type { Milliseconds } from '../../../src/vrrp/timing.js'
import type { Invariant, Violation } from '../simulation/oracle.js'
import { choicesOf, type Setting } from './choices.js'
import { SPANS, describe, keyOf, type Span, type World } from './world.js'

/** How long each span may last; a longer one is a violation. */
export type Limits = Readonly<Record<Span, Milliseconds>>

/** What an exploration has seen. */
export interface Exploration {
  /** Distinct worlds, times relative to now. */
  readonly states: number
  readonly transitions: number
  /** Every world that can be reached was reached. */
  readonly isComplete: boolean
  readonly longest: Limits
  /** The first violation, with the shortest way to it, a line for each event. */
  readonly found: (Violation & { readonly trace: readonly string[] }) | null
}

const BROKEN_BY: Readonly<Record<Span, Invariant>> = {
  double: 'one holder',
  unserved: 'takes over in time',
  unsettled: 'settles in time',
  owed: 'the survivor announces'
}

/**
 * Visits every world that can follow from the first ones, breadth first. Worlds that differ only in
 * the time of day are one, so the end is reached although the directors run for ever.
 *
 * @param maxStates where to stop when the end is not reached before
 */
export function explore(
  setting: Setting,
  first: readonly World[],
  limits: Limits,
  maxStates: number
): Exploration {
  const indexes = new Map<string, number>()
  const parents: number[] = []
  const worlds: (World | null)[] = []
  const longest: Record<Span, Milliseconds> = { double: 0, unserved: 0, unsettled: 0, owed: 0 }
  let transitions = 0
  const add = (world: World, parent: number): void => {
    const key = keyOf(world, limits.unsettled)
    if (indexes.has(key)) return
    indexes.set(key, worlds.length)
    parents.push(parent)
    worlds.push(world)
  }
  for (const world of first) add(world, -1)
  const end = (index: number, violation: Violation | null, last: World | null): Exploration => ({
    states: worlds.length,
    transitions,
    isComplete: violation === null && index === worlds.length,
    longest,
    found: violation && { ...violation, trace: traceTo(index, last) }
  })
  for (let index = 0; index < worlds.length; index++) {
    if (worlds.length > maxStates) return end(index, null, null)
    const world = worlds[index]
    if (!world) continue
    worlds[index] = null
    for (const next of choicesOf(setting, world)) {
      transitions++
      if (next.world.violation) return end(index, next.world.violation, next.world)
      for (const span of SPANS) {
        const since = world.spans[span]
        if (since === null) continue
        const lasted = next.world.now - since
        if (lasted > longest[span]) longest[span] = lasted
        if (lasted > limits[span]) {
          const text = `${span} for ${lasted} ms, allowed are ${limits[span]}`
          return end(index, { invariant: BROKEN_BY[span], text }, next.world)
        }
      }
      add(next.world, index)
    }
  }
  return end(worlds.length, null, null)

  /** Goes the way again that led to a world: kept are only the keys. */
  function traceTo(index: number, last: World | null): readonly string[] {
    const path: number[] = []
    for (let i = index; i >= 0; i = parents[i] ?? -1) path.unshift(i)
    const keys = [...indexes.keys()]
    let world = first.find((each) => keyOf(each, limits.unsettled) === keys[path[0] ?? 0])
    const lines: string[] = []
    if (world) lines.push(`start: ${describe(world)}`)
    const goals = [...path.slice(1).map((i) => keys[i]), last && keyOf(last, limits.unsettled)]
    for (const goal of goals) {
      if (!world || goal === null) break
      const choice = choicesOf(setting, world).find(
        (each) => keyOf(each.world, limits.unsettled) === goal
      )
      if (!choice) break
      world = choice.world
      if (choice.label !== '') lines.push(`${world.now.toFixed(3).padStart(12)}  ${choice.label}`)
    }
    if (world) lines.push(`end: ${describe(world)}`)
    return lines
  }
}
