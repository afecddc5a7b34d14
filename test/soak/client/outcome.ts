/** How a request ended, as its client saw it. */
export const OUTCOMES = [
  /** The whole response, every byte as it should be. */
  'ok',
  /** The upstream server's own 503. */
  'passed-503',
  /** 413 to a body that is too large. */
  'refused-413',
  /** 502 or 504 of the proxy. */
  'gateway',
  /** The response was broken off, and its client could see that. */
  'cut',
  /** Broken off where only the upstream server's end could have told: nobody could see it. */
  'short',
  /** Pipelined behind a response that closed the connection. */
  'unanswered',
  /** The client left, or ended its side. */
  'aborted',
  /** Anything that must not happen. */
  'wrong'
] as const
export type Outcome = (typeof OUTCOMES)[number]
