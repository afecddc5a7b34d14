/** The body of a request as an attempt takes it. */
export interface RequestSource {
  /** Whether the client has sent all of it. */
  readonly isComplete: boolean
  /** Whether the upstream server has been sent everything. */
  readonly isSent: boolean
  /** Whether everything that came is still here. */
  readonly isReplayable: boolean
  readonly hasNext: boolean
  /** The next bytes for the upstream server, or null if there are none at the moment. */
  next(): Buffer | null
  /** The upstream server has taken what was sent. */
  settle(): void
}

/** The body of all requests that have none. */
export const NO_BODY: RequestSource = {
  isComplete: true,
  isSent: true,
  isReplayable: true,
  hasNext: false,
  next: () => null,
  settle: () => undefined
}
