// The curve: how fast sparse kernels are over the share of zeros, beside our own dense ones, for some layers, patterns and
// number formats, on every variant of the kernels that this machine has and in Chromium. Writes results/curve.json and the
// charts of docs/charts. See README.md.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { diagnose, version } from 'espalier'
import { openBrowser } from './curve/browser.mjs'
import { chartOf } from './curve/charts.mjs'
import { layers } from './curve/layers.mjs'
import { CURVES, layerOf, measureCurve } from './curve/measure.mjs'
import { remarksOf } from './curve/plateaus.mjs'
import { lookAtMachine } from './engine/machine.mjs'
import { readResults, saveResults } from './results.mjs'

const charts = join(import.meta.dirname, '../../docs/charts')

const { values: options } = parseArgs({
  options: {
    engines: { type: 'string', default: 'native,wasm,chromium' },
    layers: { type: 'string', default: '' },
    threads: { type: 'string', default: '1' },
    budget: { type: 'string', default: '60' },
    chart: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const HELP = `Speed of sparse kernels over the share of zeros: npm --prefix bench run curve -- OPTIONS

  --engines A,B   native, wasm (in Node), chromium; all when left out. Others keep the figures they have
  --layers TEXT   those whose name contains it. Others keep the figures they have
  --threads N     1 when left out; WebAssembly runs with one
  --budget N      milliseconds that each point is timed for, 60 when left out
  --chart         measures nothing: draws the charts of results/curve.json again`

if (options.help) console.log(HELP)
else {
  const engines = options.chart ? savedEngines() : await measureAll()
  drawAll(engines)
}

function savedEngines() {
  const { engines = [] } = readResults('curve') ?? {}
  if (engines.length === 0) throw new Error('nothing was measured yet: leave out --chart')
  return engines
}

/** Measures the engines asked for, one after another, and saves each with those that were measured before. */
async function measureAll() {
  const machine = lookAtMachine()
  const asked = options.engines.split(',')
  const unknown = asked.filter(name => !['native', 'wasm', 'chromium'].includes(name))
  if (unknown.length > 0) throw new Error(`no engine ${unknown.join(', ')}: native, wasm, chromium`)
  let engines = readResults('curve')?.engines ?? []
  const measure = async (name, host, engine, ask) => {
    const curves = await curvesOf(name, engine, ask)
    const { threads, budget } = engine
    const facts = {
      machine: { ...machine, host },
      threads,
      budget,
      version,
      date: new Date().toISOString().slice(0, 10),
    }
    const earlier = engines.find(known => known.name === name)?.curves ?? []
    const kept = earlier.filter(({ layer }) => layers.some(own => own.name === layer) && !isAsked(layer))
    const measured = { name, ...facts, curves: [...kept, ...curves] }
    engines = [...engines.filter(known => known.name !== name), measured]
    saveResults('curve', { engines })
  }
  const budget = Number(options.budget)
  const { backEnds } = diagnose()
  for (const backend of ['native', 'wasm'].filter(one => asked.includes(one))) {
    const { available, reason, variants } = backEnds.find(({ name }) => name === backend)
    if (!available) console.log(`${backend} is left out: ${reason}`)
    const threads = backend === 'wasm' ? 1 : Number(options.threads)
    for (const isa of available ? variants : [])
      await measure(
        `${backend === 'wasm' ? 'Node ' : 'native '}${isa}`,
        `Node ${machine.node}`,
        { backend, isa, threads, budget },
        measureCurve,
      )
  }
  if (asked.includes('chromium')) await measureInBrowser(measure, budget)
  return engines
}

async function measureInBrowser(measure, budget) {
  const browser = await openBrowser()
  if (browser === undefined) return console.log('chromium is left out: there is none on the path')
  try {
    for (const isa of browser.variants)
      await measure(
        `Chromium ${isa}`,
        `Chromium ${browser.version}`,
        { backend: 'wasm', isa, threads: 1, budget },
        browser.measure,
      )
  } finally {
    await browser.close()
  }
}

function isAsked(layer) {
  return layer.includes(options.layers)
}

/** All curves of an engine, in words as they come. */
async function curvesOf(name, engine, ask) {
  const curves = []
  for (let index = 0; index < CURVES; index++) {
    if (!isAsked(layerOf(index).name)) continue
    const curve = await ask(index, engine)
    curves.push(curve)
    const points = curve.points.map(
      ({ sparsity, gain }) => `${Math.round(100 * sparsity)} %: ${gain.toFixed(2)}`,
    )
    console.log(`${name} | ${curve.layer} | ${curve.series} | ${points.join('  ') || 'no sparse kernel'}`)
  }
  return curves
}

function drawAll(engines) {
  mkdirSync(charts, { recursive: true })
  for (const engine of engines) {
    const file = join(charts, `sparse-${engine.name.toLowerCase().replaceAll(' ', '-')}.svg`)
    writeFileSync(file, chartOf(engine))
    console.log(`chart in ${file}`)
    for (const line of remarksOf(engine)) console.log(`  ${line}`)
  }
}
