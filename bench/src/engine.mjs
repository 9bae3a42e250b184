// Whole models: ours beside the peer's. See README.md for the options and for what the columns mean.
//
// For every row two processes hold the model, ours and the peer's, and take turns: each runs for a moment, then waits
// while the other does. Time to start and peak memory are those of other processes that do nothing else.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { lookAtMachine } from './engine/machine.mjs'
import { runCold } from './engine/processes.mjs'
import { describeRow, headline, summarizeRatios } from './engine/report.mjs'
import { backends } from './engine/runtimes.mjs'
import { median } from './engine/statistics.mjs'
import { measureByTurns } from './engine/turns.mjs'
import { catalogue } from './models/catalogue.mjs'
import { feedsFile, modelFile, sparseFiles } from './models/files.mjs'
import { saveResults } from './results.mjs'

/** Largest difference of outputs, relative to their range, at which two runtimes agree. */
const TOLERANCE = { float32: 1e-3, int8: 0.05 }
const toleranceOf = type => TOLERANCE[type.includes('int8') ? 'int8' : 'float32']
/**
 * Whose outputs of the same file ours must agree with, where the peer runs another one or is not exact: on processors
 * without VNNI, onnxruntime-node adds pairs of 8-bit products in 16 bits, which saturates; onnxruntime-web is exact.
 */
function judgeOf({ backend }) {
  if (options.int8 || options.sparse?.includes('int8')) return 'onnxruntime-web'
  return options.sparse ? backends[backend].peer : undefined
}
const COLD_ROUNDS = 3

const { values: options } = parseArgs({
  options: {
    models: { type: 'string' },
    backends: { type: 'string', default: 'native,wasm' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '10' },
    int8: { type: 'boolean', default: false },
    sparse: { type: 'string' },
    only: { type: 'string' },
    warm: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const HELP = `Whole models, ours beside the peer's: npm run bench -- -- OPTIONS

  --models A,B       these only
  --backends A,B     native (against onnxruntime-node), wasm (against onnxruntime-web), reference;
                     native,wasm when left out
  --threads N,M      2 when left out; WebAssembly runs with one
  --rounds N         turns of each side, 10 when left out
  --int8             the quantised forms
  --sparse SETTING   ours runs the model with zeros, the peer the dense one (quantised with --int8):
                     sparsity, pattern, int8, skew between commas, as 0.9 or 0.8,block4,int8;
                     skew gives rows very different densities, skew=X by how much
  --only ours|peer   one side
  --warm             leaves out what needs fresh processes: time to start, peak memory
  --list             the models and their shapes

bench/README.md says what the columns mean and how it is measured.`

const rounds = Number(options.rounds)

if (options.help) console.log(HELP)
else if (options.list) listModels()
else process.exitCode = (await measureAll()) ? 0 : 1

function listModels() {
  for (const { name, cases, int8 } of catalogue())
    console.log(
      `${name.padEnd(14)} ${cases.map(({ label }) => label).join(', ')}${int8 ? `; int8: ${int8}` : ''}`,
    )
}

/** Measures every row asked for; whether all went well. */
async function measureAll() {
  const type = options.sparse ? `${options.sparse} sparse` : options.int8 ? 'int8' : 'float32'
  const machine = lookAtMachine()
  const folder = mkdtempSync(join(tmpdir(), 'espalier-bench-'))
  const rows = []
  console.log(headline())
  try {
    for (const row of rowsAskedFor(type)) {
      const measured = { ...row.facts, ...(await measure(row, type, folder)) }
      rows.push(measured)
      console.log(describeRow(measured))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const means = summarizeRatios(rows)
  for (const { line } of means) console.log(line)
  const name = ['engine', options.sparse?.replaceAll(',', '-'), options.int8 && 'int8', options.only]
    .filter(Boolean)
    .join('-')
  saveResults(name, { machine, rounds, means, rows })
  return rows.every(({ failed }) => failed === undefined)
}

/** Model by model, so that one file is in the page cache for all that is measured on it. */
function* rowsAskedFor(type) {
  const wanted = options.models?.split(',')
  const models = catalogue().filter(({ name }) => wanted === undefined || wanted.includes(name))
  const unknown = wanted?.filter(name => !models.some(model => model.name === name)) ?? []
  if (unknown.length > 0) throw new Error(`no model ${unknown.join(', ')}: --list lists them`)
  for (const model of models) {
    if (options.int8 && model.int8 === undefined) continue
    for (const shape of model.cases)
      for (const backend of options.backends.split(','))
        for (const threads of backend === 'wasm' ? [1] : options.threads.split(',').map(Number))
          yield { model, shape, facts: { model: model.name, type, shape: shape.label, backend, threads } }
  }
}

/** One row: figures of both sides, or `failed` with the reason. */
async function measure({ model, shape, facts }, type, folder) {
  const dense = await modelFile(model, { int8: options.int8 })
  const sparse = options.sparse && (await sparseFiles(model, options.sparse))
  const files = {
    model: sparse ? sparse.onnx : dense,
    ours: sparse ? sparse.espalier : dense,
    peer: dense,
    feeds: await feedsFile(model, shape),
  }
  const names = Object.entries(backends[facts.backend]).filter(
    ([side]) => options.only === undefined || side === options.only,
  )
  const sides = Object.fromEntries(names)
  try {
    readFileSync(files.model).at(0)
    const bytes = Object.fromEntries(Object.keys(sides).map(side => [side, statSync(files[side]).size]))
    const settings = { threads: facts.threads, rounds, folder, judge: judgeOf(facts) }
    const warm = await measureByTurns(sides, files, settings)
    const cold = options.warm ? {} : await measureCold(sides, files, facts.threads)
    return { bytes, ...warm, ...cold, ...verdict(warm, type) }
  } catch (error) {
    return { failed: error.message }
  }
}

/** The ratios, and why a row counts as failed, if it does. */
function verdict({ ours, peer, difference }, type) {
  const ratios = ours && peer ? { ratio: peer.median / ours.median, leastRatio: peer.least / ours.least } : {}
  if (!difference || difference.difference <= toleranceOf(type)) return ratios
  const { difference: amount, output } = difference
  return { ...ratios, failed: `outputs differ by ${amount.toExponential(1)} in ${output}` }
}

/** Time to start and peak memory, in processes of their own, by turns. */
async function measureCold(sides, files, threads) {
  const results = Object.keys(sides).map(side => [side, []])
  for (let round = 0; round < COLD_ROUNDS; round++)
    for (const [side, list] of results)
      list.push(await runCold(sides[side], files[side], files.feeds, threads))
  const figures = ([side, list]) => [
    side,
    Object.fromEntries(Object.keys(list[0]).map(key => [key, median(list.map(result => result[key]))])),
  ]
  return { cold: Object.fromEntries(results.map(figures)) }
}
