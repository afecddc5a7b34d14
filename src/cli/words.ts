/** How values are written for people. */

/** Two units at most, the rest is left out: `42 s`, `5 min 3 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatSpan(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [days, hours] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24]
  const [minutes, rest] = [Math.floor(whole / 60) % 60, whole % 60]
  const parts =
    days > 0
      ? [`${days} d`, hours > 0 ? `${hours} h` : '']
      : hours > 0
        ? [`${hours} h`, minutes > 0 ? `${minutes} min` : '']
        : minutes > 0
          ? [`${minutes} min`, rest > 0 ? `${rest} s` : '']
          : [`${rest} s`]
  return parts.filter((part) => part !== '').join(' ')
}

/** From one ISO 8601 time to another. */
export function spanBetween(from: string, to: string): string {
  return formatSpan((Date.parse(to) - Date.parse(from)) / 1000)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * A moment in the time of this machine: `12:03:11` today, `Nov 22 12:03` before, `2025-11-22` long ago.
 *
 * @param at ISO 8601
 * @param now ISO 8601, of the clock that `at` is of
 */
export function formatMoment(at: string, now: string): string {
  const [then, today] = [new Date(at), new Date(now)]
  if (Number.isNaN(then.getTime())) return at
  const time = `${two(then.getHours())}:${two(then.getMinutes())}`
  if (then.toDateString() === today.toDateString()) return `${time}:${two(then.getSeconds())}`
  const days = (today.getTime() - then.getTime()) / 86_400_000
  return days < 300
    ? `${MONTHS[then.getMonth()] ?? ''} ${two(then.getDate())} ${time}`
    : `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}`
}

/** Date and time of this machine to the millisecond, as the log has it: `2026-11-22 12:03:11.042`. */
export function formatExactMoment(at: string): string {
  const then = new Date(at)
  if (Number.isNaN(then.getTime())) return at
  const date = `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}`
  const time = `${two(then.getHours())}:${two(then.getMinutes())}:${two(then.getSeconds())}`
  return `${date} ${time}.${String(then.getMilliseconds()).padStart(3, '0')}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** Of something each second: `0`, `0.3`, `12.5`, `1204`. */
export function formatRate(perSecond: number): string {
  if (perSecond <= 0) return '0'
  if (perSecond < 0.05) return '<0.1'
  return perSecond < 99.95 ? perSecond.toFixed(1) : String(Math.round(perSecond))
}

/** `-` where nothing was measured, else `0.4 ms`, `12 ms`, `1.2 s`. */
export function formatLatency(latencyMs: number | null): string {
  if (latencyMs === null) return '-'
  if (latencyMs < 9.95) return `${latencyMs.toFixed(1)} ms`
  return latencyMs < 999.5 ? `${Math.round(latencyMs)} ms` : `${(latencyMs / 1000).toFixed(1)} s`
}

/** `512 B`, `1.2 kB`, `34 MB`; thousands, as network rates have them. */
export function formatBytes(count: number): string {
  let value = count
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 999.5)
      return `${value < 9.95 && unit !== 'B' ? value.toFixed(1) : Math.round(value)} ${unit}`
    value /= 1000
  }
  return `${value.toFixed(1)} TB`
}

/** `1 peer`, `2 peers`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/**
 * A text that does nothing to a terminal: control characters and those that turn the direction of writing
 * are shown as `?`. What a script or a server said must not move the cursor of whoever reads it.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, '?')
}
