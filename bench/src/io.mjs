// Reading and writing large files: time and peak memory, for ONNX and safetensors, on a generated file.
//
//   npm run bench:io -- [MEBIBYTES]      500 when left out
//
// Every measurement is a process of its own, so that one does not see the other's memory; the file is read once
// beforehand, so that it is in the page cache. Peak memory is the process's peak resident size, with Node's own share
// (measured by a process that does nothing) stated beside it. Prints medians of five runs.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { saveResults } from './results.mjs'

const RUNS = 5
const MIB = 2 ** 20
const self = fileURLToPath(import.meta.url)

const tasks = {
  nothing: async () => {},
  'read onnx': async (file, { readOnnx }) => readOnnx(file),
  'read safetensors': async (file, { readSafetensors }) => readSafetensors(file),
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
    const rows = []
    for (const name of Object.keys(tasks)) {
      const format = name.endsWith('onnx') ? 'onnx' : 'safetensors'
      const size = statSync(files[format]).size
      const target = name.startsWith('write') ? join(folder, `out.${format}`) : files[format]
      if (name.startsWith('read')) readFileSync(target).at(0)
      const runs = Array.from({ length: RUNS }, () => runChild(name, target, mebibytes))
      rows.push({
        task: name,
        bytes: size,
        milliseconds: median(runs.map(r => r.milliseconds)),
        peak: median(runs.map(r => r.peak)),
      })
    }
    const baseline = rows.find(row => row.task === 'nothing').peak
    for (const row of rows) {
      const times = row.task === 'nothing' ? '' : `, ${(row.peak / row.bytes).toFixed(3)} x the file`
      console.log(
        `${row.task.padEnd(18)} ${(row.bytes / MIB).toFixed(0).padStart(6)} MiB  ${row.milliseconds.toFixed(0).padStart(6)} ms  ` +
          `peak ${(row.peak / MIB).toFixed(0).padStart(5)} MiB${times}`,
      )
    }
    console.log(`Node itself takes ${(baseline / MIB).toFixed(0)} MiB of each peak.`)
    saveResults('io', { machine, mebibytes, runs: RUNS, rows })
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
