import { createParser } from 'eventsource-parser'

/** One event of a server-sent stream. */
export interface StreamEvent {
  /** Such as `log` or `status`; `message` when the server named none. */
  readonly event: string
  readonly id: string | null
  readonly data: string
}

/** Above any status of a director; more without an end is no stream of tsha. */
const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024

/**
 * Takes a stream of server-sent events apart, as HTML's specification has them.
 *
 * @param onEvent called during `feed`, in order
 * @param onGarbage called once, when an event does not end; nothing is read after it
 */
export function readEventStream(
  onEvent: (event: StreamEvent) => void,
  onGarbage: (message: string) => void
): (chunk: string) => void {
  let isOver = false
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARACTERS,
    onEvent: ({ event, id, data }) => {
      onEvent({ event: event ?? 'message', id: id ?? null, data })
    },
    onError: (error) => {
      // Fields that a later version sends are passed over, as the specification wants it.
      if (error.type !== 'max-buffer-size-exceeded') return
      isOver = true
      onGarbage(error.message)
    }
  })
  return (chunk) => {
    if (!isOver) parser.feed(chunk)
  }
}
