import { atEndOfTurn } from '../turn.js'

/** What has something to send. */
export interface Sender {
  sendNow(): void
}

let senders: Sender[] = []

/**
 * Has `sender` send at the end of this turn of the event loop. When the writes of a turn follow each
 * other closely, those who read them on other cores stay awake meanwhile, and are not woken for each:
 * waking is the dearest part of a small write. It made 5 % of the CPU time per request.
 */
export function sendAtEndOfTurn(sender: Sender): void {
  if (senders.length === 0) atEndOfTurn(sendAll)
  senders.push(sender)
}

function sendAll(): void {
  const due = senders
  senders = []
  for (const sender of due) sender.sendNow()
}
