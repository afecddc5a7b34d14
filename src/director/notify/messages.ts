import type { Command, Notify } from '../../config/model.js'

/** What changed: a virtual router, or a sync group. */
export type NotifyKind = 'INSTANCE' | 'GROUP'

/** The states that are told, in keepalived's words. */
export type NotifyState = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED'

/** What a line of the pipe tells. */
export type FifoEvent = NotifyState | 'MASTER_RX_LOWER_PRI' | 'MASTER_PRIORITY' | 'BACKUP_PRIORITY'

/** A change of state. */
export interface StateChange {
  readonly kind: NotifyKind
  readonly name: string
  readonly state: NotifyState
  /** The effective priority; that of a group is told as 0. */
  readonly priority: number
}

/** One line of the pipe, as keepalived writes it: `INSTANCE "VI_1" MASTER 100`. */
export function fifoLine(
  kind: NotifyKind,
  name: string,
  event: FifoEvent,
  priority: number
): string {
  return `${kind} "${name}" ${event} ${toldPriority(kind, priority)}\n`
}

/**
 * What is told of a change (keepalived): whoever was deleted is in fault for those who have nothing for
 * `notify_deleted`.
 */
export function toldChange(change: StateChange, notify: Notify): StateChange {
  const isHidden = change.state === 'DELETED' && notify.deleted === null
  return isHidden ? { ...change, state: 'FAULT' } : change
}

/**
 * The programs that are run for a change, in this order (keepalived): the one of the state, with the
 * arguments that it was given, and then `notify`, with four more: `INSTANCE` or `GROUP`, the name, the
 * state, the priority.
 */
export function programsFor(change: StateChange, notify: Notify): readonly Command[] {
  const { kind, name, state, priority } = change
  const ofState = commandOf(state, notify)
  const told = [kind, name, state, String(toldPriority(kind, priority))]
  return [
    ...(ofState ? [ofState] : []),
    ...(notify.any ? [{ ...notify.any, command: [...notify.any.command, ...told] }] : [])
  ]
}

/** Every program that may be run. */
export function programsOf(notify: Notify): readonly Command[] {
  const { master, backup, fault, stop, deleted, any, masterRxLowerPriority } = notify
  const all = [master, backup, fault, stop, deleted, any, masterRxLowerPriority]
  return all.filter((command) => command !== null)
}

function commandOf(state: NotifyState, notify: Notify): Command | null {
  switch (state) {
    case 'MASTER':
      return notify.master
    case 'BACKUP':
      return notify.backup
    case 'FAULT':
      return notify.fault
    case 'STOP':
      return notify.stop
    case 'DELETED':
      return notify.deleted
  }
}

function toldPriority(kind: NotifyKind, priority: number): number {
  return kind === 'GROUP' ? 0 : priority
}
