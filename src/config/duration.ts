/** Writes milliseconds as people do: `250ms`, `3s`, `5m`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s'
  if (durationMs % 3_600_000 === 0) return `${durationMs / 3_600_000}h`
  if (durationMs % 60_000 === 0) return `${durationMs / 60_000}m`
  if (durationMs % 1000 === 0) return `${durationMs / 1000}s`
  return `${durationMs}ms`
}
