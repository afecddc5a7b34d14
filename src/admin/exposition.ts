import { Registry, type Metric as ClientMetric } from 'prom-client'
import { METRICS, type Metric, type Sample } from './metrics.js'
import type { Histogram, Status } from './model.js'

/** Content-Type of the exposition. */
export const EXPOSITION_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

const written = new WeakMap<Status, Promise<string>>()

/** What Prometheus scrapes, in its text format: all metrics of one status, which is written once for all who ask. */
export function exposition(status: Status): Promise<string> {
  const before = written.get(status)
  if (before) return before
  const text = write(status)
  written.set(status, text)
  return text
}

function write(status: Status): Promise<string> {
  const registry = new Registry()
  for (const metric of METRICS) {
    const values = metric.read(status).flatMap((sample) => valuesOf(metric, sample))
    // A metric of which nothing is known would have nothing but its help.
    if (values.length > 0) registry.registerMetric(ready(metric, values))
  }
  return registry.metrics()
}

interface Value {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, number | string>>
  readonly value: number
}

/**
 * A metric whose values are there already. The client's own classes only count up by themselves; what
 * a registry asks of a metric is these fields, though its types say that it must be one of the classes.
 */
function ready({ name, help, type }: Metric, values: readonly Value[]): ClientMetric {
  const metric = { name, help, type, values, aggregator: 'sum' }
  return { ...metric, get: () => Promise.resolve(metric) } as unknown as ClientMetric
}

function valuesOf({ name }: Metric, { labels, value }: Sample): readonly Value[] {
  return typeof value === 'number' ? [{ labels, value }] : histogramValues(name, labels, value)
}

function histogramValues(
  name: string,
  labels: Sample['labels'],
  { bounds_s, counts, sum_s }: Histogram
): readonly Value[] {
  let sum = 0
  const buckets = counts.map((count, at): Value => {
    sum += count
    const le = bounds_s[at] ?? '+Inf'
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: sum }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum_s },
    { metricName: `${name}_count`, labels, value: sum }
  ]
}
