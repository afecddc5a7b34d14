/** A time as it leaves tsha: ISO 8601 in UTC. @param wall milliseconds since 1970 */
export function toIso(wall: number): string {
  return new Date(wall).toISOString()
}
