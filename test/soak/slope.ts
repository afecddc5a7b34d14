/** A straight line through points, by least squares. */
export interface Slope {
  readonly perUnit: number
  /** Standard error of `perUnit`. */
  readonly error: number
}

/** The slope of `y` over `x`; NaN with fewer than three points. Pure. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): Slope {
  const count = points.length
  if (count < 3) return { perUnit: NaN, error: NaN }
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count
  const spreadX = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const together = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const perUnit = together / spreadX
  const residuals = points.reduce(
    (sum, [x, y]) => sum + (y - meanY - perUnit * (x - meanX)) ** 2,
    0
  )
  return { perUnit, error: Math.sqrt(residuals / (count - 2) / spreadX) }
}
