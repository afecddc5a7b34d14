import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t from 'tap'
import { CHROMIUM, LabBrowser } from './lab/browser.js'
import { ADDRESSES, Lab, VIP } from './lab/lab.js'
import type { Host } from './lab/host.js'
import {
  appearedAt,
  contrastsOf,
  focusOf,
  namelessControls,
  noteTexts,
  overflowOf
} from './lab/page-checks.js'
import { installPairFiles, ON_DIRECTOR, REPOSITORY, type Role } from './lab/pair-files.js'
import { childrenOf, commandLineOf, signalProcess } from './lab/process-tree.js'
import { cannotRun } from './lab/requirements.js'
import { withPalette } from './lab/small-png.js'
import { TshaDirector, WATCHED, type LogLine } from './lab/tsha.js'

const TAKES_PICTURES = process.env['TSHA_SCREENSHOTS'] === '1'

t.setTimeout(TAKES_PICTURES ? 300_000 : 120_000)

const TOKEN = 'only-for-the-lab-0123456789abcdef'
const TOKEN_FILE = '/etc/tsha/admin.token'
const ADMIN = `
admin:
  listen: 0.0.0.0:9112
  allow_remote: true
  token_file: ${TOKEN_FILE}
`
const WAIT_MS = 15_000
/** What a change may take from the log to the page. */
const SOON_MS = 1000
const WINDOW = { width: 1280, height: 900 }
const WEB1 = `${ADDRESSES.web1}:80`

const HOSTILE = '<img src=x onerror="window.hurt=1"><b id=x>web</b>'
const HOSTILE_EVENTS = JSON.stringify({
  first_id: 1,
  last_id: 1,
  events: [
    {
      id: 1,
      at: '2026-11-22T10:03:11.000Z',
      level: 'error',
      kind: 'peer',
      subject: HOSTILE,
      text: HOSTILE,
      details: { error: HOSTILE }
    }
  ]
})

await t.test(
  'the dashboard in a real browser shows what the directors of a pair do',
  { skip: cannotRun('nginx', CHROMIUM) },
  async (t) => {
    const lab = await Lab.create()
    t.teardown(() => lab.close())
    const [master, backup] = await Promise.all([
      startDirector(lab.host('director1'), 'master'),
      startDirector(lab.host('director2'), 'backup'),
      lab.web1.start(),
      lab.web2.start()
    ])
    const [browser] = await Promise.all([
      LabBrowser.start(lab.host('client')),
      lab.watch.waitForOwners(['director1'], WAIT_MS)
    ])
    t.teardown(() => browser.close())
    const errors: string[] = []
    const options = { viewport: WINDOW, colorScheme: 'light' } as const
    const [first, second] = await Promise.all([
      browser.page(errors, options),
      browser.page(errors, options)
    ])

    // A page without a token waits a second for its refusal.
    const other = second.goto(urlOf('director2')).then(() => signIn(second))
    other.catch(() => undefined)

    await t.test('it asks for the token, and a wrong one is said to be wrong', async (t) => {
      await first.goto(urlOf('director1'))
      await first.locator('#token:focus').waitFor({ timeout: WAIT_MS })
      t.equal(await first.locator('#live').isVisible(), false)
      await first.keyboard.type('not-the-token-of-this-director')
      await first.keyboard.press('Enter')
      await first.getByRole('alert').filter({ hasText: 'A valid token is needed' }).waitFor()
      await signIn(first)
      t.equal(await first.locator('#connection').textContent(), 'live')
      t.equal(await first.evaluate('localStorage.length'), 0, 'kept for this tab alone')
      t.equal(await first.evaluate('document.cookie'), '')
    })

    await t.test('both pages say who holds the address', async (t) => {
      await other
      await holderIs(first, `This director holds ${VIP}`)
      await holderIs(second, `${ADDRESSES.director1}, the partner, holds ${VIP}`)
      // A busy machine is late with an advertisement now and then, which is told as a problem.
      t.match(await first.locator('#verdict').textContent(), /^All is well$|^1 problem.* late/)
      t.match(
        await first.locator('.side.holds').textContent(),
        /NGINX_MASTER.*MASTER, priority 100/
      )
      t.match(await second.title(), /NGINX_BACKUP: BACKUP - tsha$/)
    })

    await t.test('a web server stopped: its peer is out on the page at once', async (t) => {
      const load = await lab.steadyClient({ rate: 40, timeoutMs: 5000 })
      await noteTexts(first, 'tbody tr')
      const mark = master.log.mark
      await lab.web1.stop()
      const line = await master.log.waitFor(isPeerOut, 'peer out', WAIT_MS, mark)
      const row = first.getByRole('row', { name: new RegExp(WEB1) })
      const shown = after(line, await appearedAt(first, `${WEB1}OUT`, WAIT_MS))
      t.ok(shown < SOON_MS, `shown ${shown} ms after the log`)
      t.match(await first.locator('.problems').textContent(), new RegExp(WEB1))
      await first.locator('.event', { hasText: WEB1 }).first().waitFor({ timeout: WAIT_MS })
      await lab.web1.start()
      await row.filter({ hasText: 'UP' }).waitFor({ timeout: WAIT_MS })
      await load.stop()
    })

    await t.test('by keyboard alone a peer is drained, and put up again', async (t) => {
      const seen: string[] = []
      for (let presses = 0; presses < 12; presses++) {
        await first.keyboard.press('Tab')
        const { name, isSeen } = await focusOf(first)
        t.ok(isSeen, `the focus is to be seen on ${name}`)
        seen.push(name)
        if (name === `Drain: ${WEB1} of web`) break
      }
      t.strictSame(seen.slice(-3), ['Counters', `Up: ${WEB1} of web`, `Drain: ${WEB1} of web`])
      await first.keyboard.press('Enter')
      const dialog = first.getByRole('dialog', { name: `Drain ${WEB1}?` })
      await dialog.waitFor()
      t.match(
        await dialog.textContent(),
        /It gets no new requests of web\..*1 other peer of web is up/
      )
      t.equal((await focusOf(first)).name, 'dialog-cancel', 'what does nothing comes first')
      await first.keyboard.press('Tab')
      await first.keyboard.press('Enter')
      await dialog.getByText(`web ${WEB1} drains`).waitFor({ timeout: WAIT_MS })
      await first.keyboard.press('Escape')
      t.equal((await focusOf(first)).name, `Drain: ${WEB1} of web`, 'back where it was')
      const row = first.getByRole('row', { name: new RegExp(WEB1) })
      await row.filter({ hasText: 'DRAIN' }).waitFor({ timeout: WAIT_MS })
      await first.keyboard.press('Shift+Tab')
      await first.keyboard.press('Enter')
      await first.keyboard.press('Tab')
      await first.keyboard.press('Enter')
      await row.filter({ hasText: 'UP' }).waitFor({ timeout: WAIT_MS })
      await first.keyboard.press('Escape')
    })

    if (TAKES_PICTURES) await takeScreenshots(lab, first, second)

    await t.test('step down, resume and reload ask first and show the answer', async (t) => {
      const text = await order(second, 'Step down: nginx', 'Step down')
      t.match(text, /nginx: stepped down until resume or a restart of tsha/)
      await second.locator('.router .badge', { hasText: 'stepped down' }).waitFor()
      t.match(await order(second, 'Resume: nginx', 'Resume'), /nginx/)
      await second.locator('.router .badge', { hasText: 'stepped down' }).waitFor({
        state: 'detached'
      })
      await second.getByRole('button', { name: 'Reload the configuration' }).click()
      await second.keyboard.press('Escape')
      await backup.host.writeFile(ON_DIRECTOR.tsha, 'upstreams: wrong\n')
      const refused = await order(second, 'Reload the configuration', 'Reload')
      t.match(refused, /^Refused:.*upstreams/)
      await second.locator('#configuration', { hasText: 'REFUSED' }).waitFor({ timeout: WAIT_MS })
    })

    await t.test('light and dark are readable, and every control has a name', async (t) => {
      for (const theme of ['dark', 'light'] as const) {
        await first.getByLabel('Theme').selectOption(theme)
        const contrasts = await contrastsOf(first)
        t.ok(contrasts.length > 60, `${contrasts.length} texts in ${theme}`)
        t.strictSame(
          contrasts.filter(({ contrast }) => contrast < 4.5),
          [],
          theme
        )
      }
      t.strictSame(await namelessControls(first), [])
      await second.emulateMedia({ colorScheme: 'dark' })
      const background = await second.evaluate('getComputedStyle(document.body).backgroundColor')
      t.equal(background, 'rgb(12, 16, 22)', 'as the system has it')
      await second.emulateMedia({ colorScheme: 'light' })
    })

    await t.test('on a phone nothing is wider than the screen', async (t) => {
      await first.setViewportSize({ width: 360, height: 740 })
      t.equal(await overflowOf(first), 0)
      t.ok(await first.getByRole('button', { name: `Drain: ${WEB1}` }).isVisible())
      t.equal(
        await first.getByRole('columnheader', { name: 'In flight' }).count(),
        1,
        'still a table'
      )
      await first.setViewportSize(WINDOW)
    })

    await t.test('a connection that is lost is said to be lost, and comes back', async (t) => {
      const admin = adminOf(master)
      t.teardown(() => signalProcess(admin, 'SIGCONT'))
      const stopped = Date.now()
      signalProcess(admin, 'SIGSTOP')
      await first.getByText(/Connection lost: no news for 3 s/).waitFor({ timeout: WAIT_MS })
      const said = Date.now() - stopped
      t.ok(said > 1900 && said < 4500, `said after ${said} ms`)
      t.equal(await first.locator('#live.stale').count(), 1, 'everything is grey')
      t.match(await first.title(), /^\(no news\) (?:\(\d\) )?NGINX_MASTER: MASTER/)
      t.equal(await first.getByRole('button', { name: 'Step down: nginx' }).isDisabled(), true)
      signalProcess(admin, 'SIGCONT')
      await first.locator('#lost').waitFor({ state: 'hidden', timeout: WAIT_MS })
      await first.locator('#connection', { hasText: 'live' }).waitFor()
      t.equal(await first.getByRole('button', { name: 'Step down: nginx' }).isDisabled(), false)
    })

    await t.test('after a break the events go on where they were', async (t) => {
      const admin = adminOf(backup)
      const mark = backup.log.mark
      const lines = second.locator('.event', { hasText: 'admin process listens' })
      const before = await lines.count()
      signalProcess(admin, 'SIGKILL')
      const isBack = (line: LogLine): boolean => line['msg'] === 'admin process listens'
      await backup.log.waitFor(isBack, 'another admin process', WAIT_MS, mark)
      await lines.nth(before).waitFor({ timeout: WAIT_MS })
      t.equal(await lines.count(), before + 1, 'each event once')
      await second.locator('#connection', { hasText: 'live' }).waitFor({ timeout: WAIT_MS })
    })

    await t.test("the master's proxy dies: both pages show the new holder at once", async (t) => {
      // What the machine does beside this must not decide: the best of three.
      for (let tries = 1; ; tries++) {
        await Promise.all([noteTexts(first, '.holder'), noteTexts(second, '.holder')])
        const marks = [master.log.mark, backup.log.mark] as const
        await master.stopProxy()
        const lost = await master.waitForState('backup', WAIT_MS, marks[0])
        const won = await backup.waitForState('master', WAIT_MS, marks[1])
        const partner = `${ADDRESSES.director2}, the partner, holds ${VIP}`
        const shown = [
          after(lost, await appearedAt(first, partner, WAIT_MS)),
          after(won, await appearedAt(second, `This director holds ${VIP}`, WAIT_MS))
        ]
        t.comment(`shown ${shown.join(' and ')} ms after the log`)
        const isSoon = shown.every((ms) => ms < SOON_MS)
        if (isSoon || tries === 3) {
          t.ok(isSoon, 'within a second')
          break
        }
        await master.startProxy()
        await holderIs(first, `This director holds ${VIP}`)
        await holderIs(second, `${ADDRESSES.director1}, the partner, holds ${VIP}`)
      }
      await first.locator('.lowers', { hasText: '20 for the service check' }).waitFor()
      t.match(await second.locator('.why').textContent(), /priority 0/)
      t.match(await second.locator('#announce').textContent(), /nginx is MASTER now/)
      await master.startProxy()
    })

    await t.test('names and texts are never markup', async (t) => {
      const page = await browser.page(errors, options)
      const asked = `fetch('/v1/status', { headers: { Authorization: 'Bearer ${TOKEN}' } })`
      const status: string = await second.evaluate(`${asked}.then((answer) => answer.text())`)
      const hostile = status.replaceAll('"web"', JSON.stringify(HOSTILE))
      await page.route('**/v1/status', (route) =>
        route.fulfill({ contentType: 'application/json', body: hostile })
      )
      await page.route('**/v1/events?limit=*', (route) =>
        route.fulfill({ contentType: 'application/json', body: HOSTILE_EVENTS })
      )
      await page.route('**/v1/events?status=1', (route) =>
        route.fulfill({ contentType: 'text/event-stream', body: ': nothing\n\n' })
      )
      await page.goto(urlOf('director2'))
      await page.getByRole('heading', { name: HOSTILE }).waitFor({ timeout: WAIT_MS })
      await page.locator('.event .text', { hasText: HOSTILE }).waitFor({ timeout: WAIT_MS })
      t.equal(await page.locator('img, b[id], script:not([src])').count(), 0)
      t.equal(await page.evaluate('window.hurt'), undefined)
      await page.context().close()
    })

    await t.test('a forgotten token is asked for again', async (t) => {
      await first.getByRole('button', { name: 'Forget token' }).click()
      await first.locator('#token:focus').waitFor()
      t.equal(await first.locator('#live').isVisible(), false)
      t.equal(await first.evaluate('sessionStorage.length'), 0)
    })

    t.strictSame(errors, [], 'no error in any page')
  }
)

function urlOf(host: 'director1' | 'director2'): string {
  return `http://${ADDRESSES[host]}:9112/`
}

async function startDirector(host: Host, role: Role): Promise<TshaDirector> {
  await installPairFiles(host, role)
  await host.writeFile(ON_DIRECTOR.tsha, (await host.readFile(ON_DIRECTOR.tsha)) + ADMIN)
  await host.writeFile(TOKEN_FILE, `${TOKEN}\n`, 0o600)
  const director = new TshaDirector(host, role, ['--config', ON_DIRECTOR.tsha], WATCHED)
  await director.startProcess()
  return director
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Token', { exact: true }).fill(TOKEN)
  await page.keyboard.press('Enter')
  await page.locator('#live').waitFor({ timeout: WAIT_MS })
}

async function holderIs(page: Page, text: string): Promise<void> {
  await page.locator('.holder', { hasText: text }).waitFor({ timeout: WAIT_MS })
}

/** Presses a button and confirms. @returns what the director answered */
async function order(page: Page, button: string, verb: string): Promise<string> {
  await page.getByRole('button', { name: button }).click()
  await page.locator('#dialog').getByRole('button', { name: verb }).click()
  const answer = page.locator('#dialog-body', { hasText: /^(Done|Refused):/ })
  const text = await answer.textContent({ timeout: WAIT_MS })
  await page.keyboard.press('Escape')
  return text ?? ''
}

function adminOf({ pid }: TshaDirector): number {
  const admin = childrenOf(pid).find((child) => commandLineOf(child).includes('tsha: admin'))
  if (admin === undefined) throw new Error('there is no admin process')
  return admin
}

function isPeerOut(line: LogLine): boolean {
  return JSON.stringify(line).includes(WEB1) && /disabled|out|fail/.test(String(line['msg']))
}

/** How long after a line of the log something was, in milliseconds. */
function after(line: LogLine, at: number): number {
  return at - Date.parse(String(line['time']))
}

/** The pictures of docs/dashboard.md: the pair under load, one web server out for a while. */
async function takeScreenshots(lab: Lab, first: Page, second: Page): Promise<void> {
  const folder = join(REPOSITORY, 'docs/images')
  await mkdir(folder, { recursive: true })
  const load = await lab.steadyClient({ rate: 120, timeoutMs: 5000, keepAlive: 12 })
  await first.waitForTimeout(35_000)
  await lab.web1.stop()
  await first.waitForTimeout(15_000)
  await lab.web1.start()
  await first.locator('h1').click()
  await first.waitForTimeout(30_000)
  const take = async (page: Page, name: string): Promise<void> => {
    const picture = withPalette(await page.screenshot({ fullPage: !name.includes('phone') }))
    if (picture.length > 150_000) throw new Error(`${name} has ${picture.length} bytes`)
    await writeFile(join(folder, name), picture)
  }
  await take(first, 'dashboard-light.png')
  await lab.web1.stop()
  await first
    .getByRole('row', { name: new RegExp(WEB1) })
    .filter({ hasText: 'OUT' })
    .waitFor()
  await first.waitForTimeout(4000)
  await first.getByLabel('Theme').selectOption('dark')
  await first.waitForTimeout(1000)
  await take(first, 'dashboard-dark.png')
  await first.getByLabel('Theme').selectOption('light')
  await lab.web1.start()
  await second.setViewportSize({ width: 390, height: 1400 })
  await second.waitForTimeout(1000)
  await take(second, 'dashboard-phone.png')
  await second.setViewportSize(WINDOW)
  await load.stop()
}
