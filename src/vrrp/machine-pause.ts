import { becomeBackup, becomeInitialize } from './machine-moves.js'
import type { ElectionSettings, State, Step } from './model.js'
import { listenInterval, longestLateness, type Milliseconds } from './timing.js'

/**
 * What a pause of ours comes to, whatever event is the first one after it: the process was stopped or
 * starved, or the machine was. Packets that came meanwhile may not have been read yet. Null when there
 * was none that matters.
 */
export function afterPause(router: ElectionSettings, state: State, now: Milliseconds): Step | null {
  switch (state.name) {
    case 'initialize':
    case 'fault':
      return null
    case 'backup': {
      // Whoever is master has been heard, unless we heard nothing at all.
      const { masterAdverInterval, masterDownAt } = state
      if (now - masterDownAt < masterAdverInterval) return null
      const listenFor = listenInterval(router, state.priority, masterAdverInterval)
      return {
        state: { ...state, masterDownAt: now + listenFor, masterResigned: false },
        actions: [],
        reason: 'paused'
      }
    }
    case 'master': {
      const isReplaced = state.handOver
        ? now - state.handOver.until >= router.adverInterval
        : now - state.adverAt >= longestLateness(router, state.priority)
      if (!isReplaced) return null
      if (state.handOver?.goal === 'initialize') return becomeInitialize(state, 'paused')
      const listenFor = listenInterval(router, state.priority, router.adverInterval)
      return becomeBackup(router, state, now, 'paused', { listenFor })
    }
  }
}
