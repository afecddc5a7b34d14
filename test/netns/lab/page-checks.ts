import type { Page } from 'playwright-core'

/*
 * What is computed inside a page: these are programs for the browser, so they are texts here.
 */

const LOOK_AGAIN_MS = 50

/** For every element with a text of its own: the contrast to what is behind it, by WCAG 2. */
const CONTRASTS = `(() => {
  const parse = (text) => {
    const numbers = (text.match(/[\\d.]+/g) ?? []).map(Number)
    const [r = 0, g = 0, b = 0, a = 1] = numbers
    return { r, g, b, a }
  }
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a),
    g: top.g * top.a + below.g * (1 - top.a),
    b: top.b * top.a + below.b * (1 - top.a),
    a: 1
  })
  const behind = (element) => {
    const layers = []
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor))
    return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 })
  }
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const seen = []
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')
    if (!own || !element.checkVisibility() || element.closest('script, noscript, option')) continue
    const ground = behind(element)
    const colour = over(parse(getComputedStyle(element).color), ground)
    const [light, dark] = [luminance(colour), luminance(ground)].sort((a, b) => b - a)
    seen.push({
      what: element.tagName.toLowerCase() + '.' + element.className + ' ' + element.textContent.trim().slice(0, 40),
      contrast: (light + 0.05) / (dark + 0.05)
    })
  }
  return seen
})()`

/** Each element that shows a text, and its contrast. */
export async function contrastsOf(
  page: Page
): Promise<readonly { readonly what: string; readonly contrast: number }[]> {
  return page.evaluate(CONTRASTS)
}

/** How much wider the page is than the window, in pixels. */
export async function overflowOf(page: Page): Promise<number> {
  return page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth'
  )
}

/** What has the focus, by its name, and whether that is to be seen. */
export async function focusOf(
  page: Page
): Promise<{ readonly name: string; readonly isSeen: boolean }> {
  return page.evaluate(`(() => {
    const at = document.activeElement
    const style = getComputedStyle(at)
    return {
      name: at.getAttribute('aria-label') ?? (at.id || at.textContent.trim()),
      isSeen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
    }
  })()`)
}

/** Controls without a name, as a screen reader would meet them. */
export async function namelessControls(page: Page): Promise<readonly string[]> {
  const tree = await page.locator('body').ariaSnapshot()
  return tree.split('\n').filter((line) => /- (button|combobox|textbox|link)(?!\s*")/.test(line))
}

/** From now on the page notes when a text first appears in an element. */
export async function noteTexts(page: Page, selector: string): Promise<void> {
  await page.evaluate(`(() => {
    const seen = (window.seen = [])
    const look = () => {
      for (const element of document.querySelectorAll(${JSON.stringify(selector)})) {
        const text = element.textContent
        if (!seen.some((each) => each.text === text)) seen.push({ text, at: Date.now() })
      }
    }
    look()
    new MutationObserver(look).observe(document.body, {
      childList: true,
      subtree: true,
      characterData: true
    })
  })()`)
}

/** When an element that is noted first had a text with this in it; milliseconds since 1970. */
export async function appearedAt(page: Page, text: string, timeoutMs: number): Promise<number> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    // Asked from here: the page's own policy keeps it from evaluating texts.
    const at: number | undefined = await page.evaluate(
      `window.seen.find((each) => each.text.includes(${JSON.stringify(text)}))?.at`
    )
    if (at !== undefined) return at
    if (Date.now() > deadline) throw new Error(`the page does not show "${text}"`)
    await page.waitForTimeout(LOOK_AGAIN_MS)
  }
}
