// The pictures of docs/figures.md, drawn by Vega-Lite.
// @ts-nocheck: Vega is installed only by `npm run bench`
import { mkdirSync, writeFileSync } from 'node:fs'
import { parse, View } from 'vega'
import { compile } from 'vega-lite'
import { time } from './figures.mjs'
import { goals } from './goals.mjs'
import { TYPICAL } from './load-tables.mjs'

const folder = new URL('../docs/pictures/', import.meta.url)
const ours = '#0b6e4f'
const theirs = '#b9c4cc'
const style = {
  background: 'white',
  config: {
    aria: false,
    font: 'system-ui, sans-serif',
    view: { stroke: null },
    axis: {
      labelFontSize: 12,
      titleFontSize: 12,
      titleFontWeight: 'normal',
      labelLimit: 320,
      grid: false,
      domain: false,
      ticks: false,
    },
    header: { labelFontSize: 13, labelFontWeight: 600, labelAlign: 'left', labelAnchor: 'start' },
    legend: { labelFontSize: 12, title: null, orient: 'bottom', columns: 1, labelLimit: 400 },
  },
}

/** @param {{ node: Record<string, { micros: Record<string, any> }>, load: import('./load-tables.mjs').Load }} figures */
export async function writePictures({ node, load }) {
  mkdirSync(folder, { recursive: true })
  await write('calls', bars(node))
  for (const [name, { picture, title, against }] of Object.entries(goals))
    if (picture) await write(picture, lines(node[name].micros, title, against))
  await write('load', growth(load))
}

/** A row of bars for each job: the time of each candidate, to the first of ours. */
function bars(node) {
  const charts = Object.entries(goals)
    .filter(([, { against }]) => against === undefined)
    .map(([name, { title }]) => {
      const values = Object.entries(node[name].micros).map(([candidate, { middle, low, high }]) => ({
        candidate,
        milliseconds: middle / 1000,
        low: low / 1000,
        high: high / 1000,
        shown: time(middle),
        isOurs: candidate.startsWith('countersign'),
      }))
      const axis = { labelLimit: 0, minExtent: 290, maxExtent: 290, labelPadding: 8 }
      const y = { field: 'candidate', type: 'nominal', sort: null, title: null, scale: { paddingInner: 0.25 }, axis }
      const x = { field: 'milliseconds', type: 'quantitative', axis: null }
      return {
        title: {
          text: title.replaceAll('`', ''),
          anchor: 'start',
          frame: 'group',
          offset: 6,
          fontSize: 13,
          fontWeight: 600,
        },
        width: 380,
        height: { step: 22 },
        data: { values },
        encoding: { y, x },
        layer: [
          {
            mark: { type: 'bar', cornerRadiusEnd: 2 },
            encoding: { color: { condition: { test: 'datum.isOurs', value: ours }, value: theirs } },
          },
          {
            mark: { type: 'rule', color: '#333', opacity: 0.6 },
            encoding: { x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } },
          },
          {
            mark: { type: 'text', align: 'left', dx: 8, fontSize: 12 },
            encoding: { text: { field: 'shown' }, x: { field: 'high', type: 'quantitative', axis: null } },
          },
        ],
      }
    })
  return { ...style, vconcat: charts, spacing: 18, resolve: { scale: { x: 'independent' } } }
}

/** The cost of each candidate against a number, both on scales of powers of ten. */
function lines(micros, title, against) {
  const values = Object.entries(micros).flatMap(([candidate, series]) =>
    Object.entries(series).map(([number, { middle }]) => ({ candidate, number: Number(number), middle })),
  )
  const names = Object.keys(micros)
  const colors = ['#0b6e4f', '#5bb98b', '#7f8c96', '#c3ccd3']
  const own = names.filter((name) => name.startsWith('countersign'))
  const range = names.map((name) =>
    own.includes(name) ? colors[own.indexOf(name)] : colors[2 + names.indexOf(name) - own.length],
  )
  return {
    ...style,
    title: { text: title.replaceAll('`', ''), anchor: 'start', fontSize: 13, fontWeight: 600 },
    width: 520,
    height: 240,
    data: { values },
    mark: { type: 'line', point: { filled: true, size: 40 }, strokeWidth: 2 },
    encoding: {
      x: {
        field: 'number',
        type: 'quantitative',
        scale: { type: 'log' },
        title: against,
        axis: { values: [...new Set(values.map(({ number }) => number))], format: ',', labelPadding: 8 },
      },
      y: {
        field: 'middle',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'µs',
        axis: {
          grid: true,
          gridColor: '#e6e9eb',
          format: ',',
          values: [1, 10, 100, 1_000, 10_000, 100_000],
          labelPadding: 6,
        },
      },
      color: { field: 'candidate', type: 'nominal', scale: { domain: names, range } },
    },
  }
}

/** The time of a login on each database against the number of records, ours in full lines. */
function growth({ figures }) {
  const values = figures
    .filter(({ users }) => users === TYPICAL)
    .map(({ database, candidate, records, p50, p99 }) => ({ database, candidate, records, p50, p99 }))
  const databases = [...new Set(values.map(({ database }) => database))]
  const colors = ['#0b6e4f', '#d1862b', '#2f6db5', '#8a5fb0', '#c0392b']
  const sizes = [...new Set(values.map(({ records }) => records))]
  const panel = (field, title) => ({
    title: { text: title, anchor: 'start', frame: 'group', fontSize: 12, fontWeight: 'normal' },
    width: 330,
    height: 280,
    mark: { type: 'line', point: { filled: true, size: 36 }, strokeWidth: 2 },
    encoding: {
      x: {
        field: 'records',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'records',
        axis: {
          values: sizes,
          format: ',',
          labelPadding: 8,
          labelOverlap: false,
          labelBound: false,
          labelFlush: false,
        },
      },
      y: {
        field,
        type: 'quantitative',
        scale: { type: 'log', domain: [1, 2_000] },
        title: 'ms',
        axis: { grid: true, gridColor: '#e6e9eb', format: ',', values: [1, 10, 100, 1_000], labelPadding: 6 },
      },
      color: { field: 'database', type: 'nominal', scale: { domain: databases, range: colors } },
      strokeDash: {
        field: 'candidate',
        type: 'nominal',
        scale: {
          domain: ['countersign', 'better-auth'],
          range: [
            [1, 0],
            [5, 4],
          ],
        },
        legend: { symbolType: 'stroke', symbolSize: 400, symbolFillColor: 'transparent', symbolStrokeColor: '#333' },
      },
    },
  })
  return {
    ...style,
    title: {
      text: `A login with ${TYPICAL} users at once, against the number of records`,
      anchor: 'start',
      fontSize: 13,
      fontWeight: 600,
    },
    data: { values },
    hconcat: [panel('p50', 'p50: the median'), panel('p99', 'p99: 99 of 100 logins are faster')],
    spacing: 40,
  }
}

async function write(name, specification) {
  const view = new View(parse(compile(specification).spec), { renderer: 'none' })
  writeFileSync(new URL(`${name}.svg`, folder), `${await view.toSVG()}\n`)
}
