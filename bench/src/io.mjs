// Reading and writing large files: time and peak memory, for ONNX and safetensors, on a generated file, beside the
// floor: the same bytes read into one buffer, or written from one and flushed, by the plain system calls.
//
//   npm --prefix bench run io -- [MEBIBYTES]      500 when left out
//
// Every measurement is a process of its own, so that one does not see another's memory; the file is read once
// beforehand, so that it is in the page cache; tasks take turns. Prints medians of seven rounds. Peak memory is the
// process's peak resident size, of which Node's own share is that of the process that does nothing.
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { saveResults } from './results.mjs'

const ROUNDS = 7
const MIB = 2 ** 20
const self = fileURLToPath(import.meta.url)

const tasks = {
  nothing: async () => {},
  'read floor': async file => readFileSync(file),
  'read onnx': async (file, { readOnnx }) => readOnnx(file),
  'read safetensors': async (file, { readSafetensors }) => readSafetensors(file),
  'write floor': async (file, _, graph) => {
    const handle = openSync(file, 'w')
    for (const { data } of graph.initializers.values()) writeSync(handle, data)
    fsyncSync(handle)
    closeSync(handle)
  },
  // The model to write is made in memory, not read: what is measured is the writing alone.
  'write onnx': async (file, { writeOnnx }, graph) => writeOnnx(file, graph),
  'write safetensors': async (file, { writeSafetensors }, graph) =>
    writeSafetensors(file, graph.initializers),
}

if (process.argv[2] === '--task') await runTask(process.argv[3], process.argv[4], Number(process.argv[5]))
else await measureAll(Number(process.argv[2] ?? 500))

async function library() {
  const onnx = await import('espalier/onnx')
  const safetensors = await import('espalier/safetensors')
  return { ...onnx, ...safetensors }
}

function describe({ task, bytes, milliseconds, peak }, rows) {
  const columns = [
    task.padEnd(18),
    `${milliseconds.toFixed(0).padStart(6)} ms`,
    `peak ${(peak / MIB).toFixed(0).padStart(4)} MiB`,
  ]
  const floor = rows.find(row => row.task === `${task.split(' ')[0]} floor`)
  if (floor !== undefined)
    columns.push(
      `${(peak / bytes).toFixed(2)} x the file`,
      `${(milliseconds / floor.milliseconds).toFixed(2)} x the floor`,
    )
  return columns.join('  ')
}

/** A model of linear layers whose float32 weights take `mebibytes`. */
async function generate(mebibytes) {
  const { graphBuilder } = await import('espalier/graph')
  const { tensor } = await import('espalier/tensor')
  const g = graphBuilder({ name: 'generated' })
  const width = 1024
  const layers = Math.max(1, Math.round(mebibytes / 4))
  let x = g.input('x', 'float32', ['batch', width])
  for (let layer = 0; layer < layers; layer++) {
    const data = new Float32Array(width * width)
    for (let i = 0; i < data.length; i++) data[i] = ((i * 2654435761 + layer) % 2 ** 32) / 2 ** 31 - 1
    x = g.node('MatMul', [x, g.constant(tensor('float32', [width, width], data), `layer${layer}.weight`)])
  }
  g.output(x)
  return g.build()
}

async function runTask(name, file, mebibytes) {
  const lib = await library()
  const graph = name.startsWith('write') ? await generate(mebibytes) : undefined
  const started = performance.now()
  const result = await tasks[name](file, lib, graph)
  const milliseconds = performance.now() - started
  const kept = result === undefined ? 0 : 1
  console.log(JSON.stringify({ milliseconds, peak: peakMemory(), kept }))
}

/** Peak resident size in bytes. `ru_maxrss` would count the parent's memory at the time of the fork. */
function peakMemory() {
  const status = process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : ''
  const kibibytes = /VmHWM:\s*(\d+)/.exec(status)?.[1] ?? process.resourceUsage().maxRSS
  return Number(kibibytes) * 1024
}

async function measureAll(mebibytes) {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-bench-'))
  try {
    const files = { onnx: join(folder, 'model.onnx'), safetensors: join(folder, 'model.safetensors') }
    for (const format of ['onnx', 'safetensors']) runChild(`write ${format}`, files[format], mebibytes)
    const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, load: loadavg()[0] }
    console.log(
      `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load.toFixed(2)}`,
    )
    const names = Object.keys(tasks)
    const formatOf = name => (name.endsWith('safetensors') ? 'safetensors' : 'onnx')
    const targetOf = name =>
      name.startsWith('write') ? join(folder, `out.${formatOf(name)}`) : files[formatOf(name)]
    for (const file of Object.values(files)) readFileSync(file).at(0)
    const runs = new Map(names.map(name => [name, []]))
    for (let round = 0; round < ROUNDS; round++)
      for (const name of names) runs.get(name).push(runChild(name, targetOf(name), mebibytes))
    const rows = names.map(name => ({
      task: name,
      bytes: statSync(files[formatOf(name)]).size,
      milliseconds: median(runs.get(name).map(run => run.milliseconds)),
      peak: median(runs.get(name).map(run => run.peak)),
    }))
    for (const row of rows) console.log(describe(row, rows))
    saveResults('io', { machine, mebibytes, rounds: ROUNDS, rows })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function runChild(name, file, mebibytes) {
  const output = execFileSync(process.execPath, [self, '--task', name, file, `${mebibytes}`], {
    encoding: 'utf8',
  })
  return JSON.parse(output)
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
