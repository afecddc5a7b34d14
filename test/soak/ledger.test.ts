import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Findings } from './findings.js'
import { audit } from './ledger.js'
import type { Outage } from './upstreams.js'

/** A request with this id and outcome, from second 1 on for 100 ms. */
const request = (id: number, outcome: string, rest = 'plain\t\t'): string =>
  `${id}\tGET\tclose\t${outcome}\t200\t5\t1000\t100\t${rest}`

/** What is found in these books, without the examples. */
async function kindsOf(
  clients: readonly string[],
  accessLog: readonly string[],
  outages: readonly Outage[] = []
): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tsha-ledger-'))
  const write = (name: string, lines: readonly string[]): string => {
    const path = join(directory, name)
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
    return path
  }
  const books = {
    clients: write('clients', clients),
    upstreams: [],
    accessLogs: [write('access.log', accessLog)],
    outages,
    probes: 0
  }
  const findings = new Findings()
  await audit(books, findings)
  rmSync(directory, { recursive: true })
  return findings.lines().filter((line) => !line.startsWith(' '))
}

t.test('the access log has each request once, as its client saw it', async (t) => {
  const clients = [request(0, 'ok'), request(1, 'aborted')]
  t.strictSame(await kindsOf(clients, ['0 200 5 0.1']), [])
  t.strictSame(await kindsOf(clients, []), ['requests not logged: 1'])
  t.strictSame(await kindsOf(clients, ['0 200 5 0.1', '0 200 5 0.1']), ['requests logged twice: 1'])
  t.strictSame(await kindsOf(clients, ['0 502 5 0.1']), [
    'access log lines that say something else: 1'
  ])
  t.strictSame(await kindsOf(clients, ['0 200 4 0.1']), [
    'access log lines that say something else: 1'
  ])
  t.strictSame(await kindsOf(clients, ['0 200 5 0.1', '7 200 5 0.1']), [
    'access log lines of nobody: 1'
  ])
  t.strictSame(await kindsOf(clients, ['0 200 5 0.1', '- 404 5 0.1']), [
    'probes in the access log: 1'
  ])
})

t.test('a response may be cut if something was the matter just then', async (t) => {
  const log = ['0 200 5 0.1']
  const killed = (from: number): Outage[] => [{ kind: 'killed', from, to: from + 500 }]
  const stopped = (from: number): Outage[] => [{ kind: 'stopped', from, to: from + 500 }]
  t.strictSame(await kindsOf([request(0, 'cut')], log), ['responses cut without a reason: 1'])
  t.strictSame(await kindsOf([request(0, 'cut', 'plain\treset-body\t')], log), [])
  t.strictSame(await kindsOf([request(0, 'cut', 'stalled-reader\t\t')], log), [])
  t.strictSame(await kindsOf([request(0, 'cut')], log, stopped(1050)), [])
  t.strictSame(await kindsOf([request(0, 'cut')], log, stopped(1200)), [
    'responses cut without a reason: 1'
  ])
  t.strictSame(await kindsOf([request(0, 'short')], log, killed(1050)), [])
  t.strictSame(await kindsOf([request(0, 'short')], log, stopped(1050)), [
    'responses cut invisibly: 1'
  ])
  t.strictSame(await kindsOf([request(0, 'short')], log, killed(700)), [
    'responses cut invisibly: 1'
  ])
})
