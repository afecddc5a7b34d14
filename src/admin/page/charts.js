/** @import { Content } from './element.js' */
import { show } from './dom.js'
import { el } from './element.js'

const HEIGHT = 150

/**
 * A line of a chart: its colour is a variable of style.css, its dashes tell it from the others too. With
 * `hidesZero` it is not drawn while it would lie on the ground.
 *
 * @typedef {{
 *   readonly label: string,
 *   readonly colour: string,
 *   readonly dash?: readonly number[],
 *   readonly fill?: boolean,
 *   readonly hidesZero?: boolean
 * }} Line
 *
 * @typedef {{
 *   readonly title: string,
 *   readonly lines: readonly Line[],
 *   readonly format: (value: number) => string,
 *   readonly height?: number
 * }} ChartOptions
 *
 * @typedef {readonly [readonly number[], ...(readonly (number | null)[])[]]} ChartData
 */

/** A chart over time with its title and a legend that tells the newest values, or those under the pointer. */
export class Chart {
  #options
  #figure
  #legend
  #place
  /** @type {uPlot | null} */
  #plot = null
  /** @type {ChartData} */
  #data = [[]]
  /** @type {readonly string[]} */
  #labels = []
  #range = { from: 0, to: 1, top: 1 }

  /**
   * @param {Element} parent
   * @param {ChartOptions} options
   */
  constructor(parent, options) {
    this.#options = options
    this.#figure = document.createElement('figure')
    const caption = document.createElement('figcaption')
    const title = document.createElement('span')
    title.textContent = options.title
    title.className = 'chart-title'
    this.#legend = document.createElement('span')
    this.#legend.className = 'legend'
    caption.append(title, this.#legend)
    this.#place = document.createElement('div')
    this.#place.className = 'plot'
    this.#place.setAttribute('role', 'img')
    this.#figure.append(caption, this.#place)
    parent.append(this.#figure)
    new ResizeObserver(() => {
      this.#resize()
    }).observe(this.#place)
  }

  /** Takes it out of the page. */
  remove() {
    this.#plot?.destroy()
    this.#plot = null
    this.#figure.remove()
  }

  /**
   * @param {ChartData} data
   * @param {{ readonly from: number, readonly to: number, readonly least: number }} range times in seconds; the least upper end of the values
   * @param {readonly string[]} labels of the lines, where they differ from the first ones
   */
  set(data, { from, to, least }, labels = []) {
    this.#data = data
    this.#labels = labels
    const most = data
      .slice(1)
      .flat()
      .reduce((top, value) => Math.max(top ?? 0, value ?? 0), 0)
    this.#range = { from, to, top: Math.max(least, (most ?? 0) * 1.15) }
    if (this.#plot === null) this.#draw()
    else this.#plot.setData(this.#drawn)
    this.#tell(null)
  }

  /** Colours are those of the theme. */
  redraw() {
    this.#plot?.destroy()
    this.#plot = null
    if (this.#data[0].length > 0) this.#draw()
  }

  get #drawn() {
    const [times, ...values] = this.#data
    const lines = values.map((line, place) => {
      const isHidden = this.#options.lines[place]?.hidesZero === true && !line.some(Boolean)
      return isHidden ? line.map(() => null) : line
    })
    return /** @type {uPlot.AlignedData} */ ([times, ...lines])
  }

  #resize() {
    const { clientWidth } = this.#place
    if (clientWidth > 0) this.#plot?.setSize({ width: clientWidth, height: this.#height })
  }

  get #height() {
    return this.#options.height ?? HEIGHT
  }

  #draw() {
    const style = getComputedStyle(document.documentElement)
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim()
    const axis = {
      stroke: colour('--muted'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif'
    }
    const { lines, format } = this.#options
    this.#plot = new uPlot(
      {
        width: Math.max(120, this.#place.clientWidth),
        height: this.#height,
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
        padding: [8, 28, 0, 0],
        scales: {
          x: { time: true, range: () => [this.#range.from, this.#range.to] },
          y: { range: () => [0, this.#range.top] }
        },
        axes: [
          { ...axis, space: 70, values: (_, ticks) => ticks.map(clockTime), size: 24 },
          {
            ...axis,
            space: 34,
            size: 58,
            gap: 4,
            values: (_, ticks) => ticks.map((tick) => format(tick))
          }
        ],
        series: [
          {},
          ...lines.map(({ label, colour: name, dash, fill }) => ({
            label,
            stroke: colour(name),
            width: 1.75,
            dash: dash ? [...dash] : [],
            ...(fill ? { fill: `${colour(name)}22` } : {}),
            points: { show: false }
          }))
        ],
        hooks: {
          setCursor: [
            (plot) => {
              this.#tell(plot.cursor.idx ?? null)
            }
          ]
        }
      },
      this.#drawn,
      this.#place
    )
  }

  /** @param {number | null} index null for the newest */
  #tell(index) {
    const { lines, format, title } = this.#options
    const at = index ?? this.#data[0].length - 1
    const values = lines.map((line, place) => {
      const value = this.#data[place + 1]?.[at]
      return {
        line,
        label: this.#labels[place] ?? line.label,
        text: value === null || value === undefined ? '-' : format(value)
      }
    })
    /** @type {Content[]} */
    const shown = values.map(({ line, label, text }) =>
      el(
        'span',
        { class: 'entry', key: line.label },
        el('span', {
          class: `stroke ${line.colour.slice(2)}${line.dash ? ' dashed' : ''}`,
          'aria-hidden': 'true'
        }),
        `${label} `,
        el('b', {}, text)
      )
    )
    show(this.#legend, shown)
    const now = values.map(({ label, text }) => `${label} ${text}`).join(', ')
    this.#place.setAttribute('aria-label', `Chart, ${title}: ${now}`)
  }
}

/** @param {number} seconds */
function clockTime(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB')
}
