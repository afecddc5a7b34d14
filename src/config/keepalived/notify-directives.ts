import type { Draft } from './draft.js'
import { program } from './draft.js'
import type { Directives } from './statement-reader.js'

/** Scripts that instances and sync groups tell of their changes. */
export const NOTIFY_DIRECTIVES: Directives<Draft> = {
  notify: program('notify.any'),
  notify_backup: program('notify.backup'),
  notify_fault: program('notify.fault'),
  notify_master: program('notify.master'),
  notify_stop: program('notify.stop')
}
