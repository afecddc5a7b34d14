import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { METRICS } from '../../src/admin/metrics.js'
import { isInstalled } from '../netns/lab/requirements.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const RULES = join(root, 'packaging/prometheus/tsha.rules.yml')
const RULES_TEST = join(root, 'test/packaging/tsha.rules.test.yml')
const DASHBOARD = join(root, 'packaging/grafana/tsha.json')
const skip = !isInstalled('promtool') && 'needs promtool'

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly annotations: Readonly<Record<string, string>>
}

interface Dashboard {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[]
  readonly annotations: { readonly list: readonly { readonly expr: string }[] }
}

const alerts = (
  parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Alert[] }[] }
).groups.flatMap(({ rules }) => rules)
const dashboard = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard
const shown = [
  ...dashboard.panels.flatMap(({ targets }) => targets ?? []),
  ...dashboard.annotations.list
].map(({ expr }) => expr)

/** Every name and label by which an expression could find something. */
const series = new Map(
  METRICS.flatMap(({ name, type, labels }) => {
    if (type !== 'histogram') return [[name, labels] as const]
    const bucket = [`${name}_bucket`, [...labels, 'le']] as const
    return [bucket, [`${name}_sum`, labels] as const, [`${name}_count`, labels] as const]
  })
)
/** What Prometheus adds to everything that it scrapes. */
const OF_SCRAPE = ['job', 'instance']

function promtool(...args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, {
    encoding: 'utf8',
    timeout: 60_000
  })
  return { status, output: `${stdout}${stderr}` }
}

t.test('every alert and every panel asks for metrics and labels that exist', (t) => {
  t.ok(alerts.length > 10)
  t.ok(shown.length > 20)
  for (const expr of [...alerts.map((alert) => alert.expr), ...shown]) {
    const selectors = [...expr.matchAll(/\b(tsha_\w+)(?:\{([^}]*)\})?/g)]
    t.ok(selectors.length > 0 || expr.startsWith('up{'), expr)
    for (const [, name = '', matchers = ''] of selectors) {
      const labels = series.get(name)
      t.ok(labels, `${name} exists`)
      for (const [, label = ''] of matchers.matchAll(/(\w+)\s*[=!]/g)) {
        t.ok([...OF_SCRAPE, ...(labels ?? [])].includes(label), `${name} has the label ${label}`)
      }
    }
  }
  t.end()
})

t.test('every alert says what is wrong and what to do, and is tested', (t) => {
  const tests = readFileSync(RULES_TEST, 'utf8')
  for (const { alert, annotations } of alerts) {
    t.ok(annotations['summary'], `${alert} has a summary`)
    t.ok(annotations['runbook'], `${alert} has a runbook`)
    t.ok(tests.includes(`'ALERTS{alertname="${alert}",`), `${alert} is made to fire`)
  }
  t.end()
})

t.test('the alerts fire when they should, and only then', { skip }, (t) => {
  const { status, output } = promtool('test', 'rules', RULES_TEST)
  t.equal(status, 0, output)
  t.end()
})

t.test('Prometheus takes the alerts and every expression of the dashboard', { skip }, (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tsha-promtool-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true })
  })
  const recorded = join(directory, 'dashboard.yml')
  const rules = shown.map((expr, i) => ({ record: `panel_${i}`, expr }))
  writeFileSync(recorded, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
  const { status, output } = promtool('check', 'rules', '--lint-fatal', RULES, recorded)
  t.equal(status, 0, output)
  t.match(output, `SUCCESS: ${shown.length} rules found`)
  t.end()
})
