// Single operators: GFLOP/s of ours and of the peer, and the share of what the machine's cores can do, which is
// measured first. See README.md.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writeOnnx } from 'espalier/onnx'
import { lookAtMachine } from './engine/machine.mjs'
import { backends } from './engine/runtimes.mjs'
import { measureByTurns } from './engine/turns.mjs'
import { buildKernel, kernelModels } from './models/kernels.mjs'
import { nativePeak, wasmPeak } from './peak/peak.mjs'
import { saveResults } from './results.mjs'
import { writeTensors } from './tensors.mjs'

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '' },
    backends: { type: 'string', default: 'native,wasm' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
  },
})

process.exitCode = (await measureAll()) ? 0 : 1

async function measureAll() {
  const machine = lookAtMachine()
  const peaks = { native: nativePeak(), wasm: wasmPeak() }
  describePeaks(peaks)
  const folder = mkdtempSync(join(tmpdir(), 'espalier-bench-'))
  const rows = []
  try {
    for (const kernel of kernelModels.filter(({ name }) => name.includes(options.models)))
      for (const backend of options.backends.split(','))
        for (const threads of backend === 'wasm' ? [1] : options.threads.split(',').map(Number)) {
          const row = await measure(kernel, backend, threads, peaks[backend], folder)
          rows.push(row)
          console.log(describe(row))
        }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  saveResults(['kernels', options.only].filter(Boolean).join('-'), { machine, peaks, rows })
  return rows.every(({ failed }) => failed === undefined)
}

async function measure(kernel, backend, threads, peak, folder) {
  const { graph, feeds } = buildKernel(kernel)
  const files = { model: join(folder, 'kernel.onnx'), feeds: join(folder, 'kernel.feeds') }
  await writeOnnx(files.model, graph)
  writeTensors(files.feeds, feeds)
  const { name, shape, macs, weightBytes } = kernel
  const row = { name, shape, backend, threads, macs, weightBytes }
  const names = Object.entries(backends[backend]).filter(([side]) => (options.only ?? side) === side)
  try {
    const settings = { threads, rounds: Number(options.rounds), folder }
    const measured = await measureByTurns(Object.fromEntries(names), files, settings)
    for (const side of ['ours', 'peer'])
      if (measured[side] !== undefined) row[side] = rates(measured[side], row, peak)
    const apart = measured.difference?.difference > 1e-3
    if (apart) row.failed = `outputs differ by ${measured.difference.difference.toExponential(1)}`
  } catch (error) {
    row.failed = error.message
  }
  return row
}

/** GFLOP/s at the least time, which is the kernel's own; its share of the peak of as many cores; GB/s of weights. */
function rates(times, { macs, weightBytes, threads }, peak) {
  const flops = (2 * macs) / times.least / 1e6
  const bytes = weightBytes === undefined ? undefined : weightBytes / times.least / 1e6
  return { ...times, flops, bytes, share: peak && flops / (peak.flops * threads) }
}

function describePeaks({ native, wasm }) {
  if (native === undefined) console.log('no C++ compiler: shares of the native peak are left out')
  else console.log(`one core: ${native.flops.toFixed(0)} GFLOP/s, reads ${native.bytes.toFixed(1)} GB/s`)
  console.log(`WebAssembly, one thread: ${wasm.flops.toFixed(0)} GFLOP/s`)
}

function describe({ name, shape, backend, threads, ours, peer, failed }) {
  const columns = [
    name.padEnd(21),
    shape.padEnd(32),
    `${backend} ${threads}`.padEnd(8),
    describeSide('ours', ours),
    describeSide('peer', peer),
    ours && peer ? `ratio ${(peer.least / ours.least).toFixed(2)}` : '',
    failed === undefined ? '' : `FAILED: ${failed}`,
  ]
  return columns.join(' ').trimEnd()
}

function describeSide(side, rate) {
  if (rate === undefined) return `${side} -`.padEnd(45)
  const share = rate.share === undefined ? '' : `${(100 * rate.share).toFixed(0).padStart(3)} %`
  const bytes = rate.bytes === undefined ? '' : `${rate.bytes.toFixed(1)} GB/s`
  const figures = `${rate.least.toFixed(3).padStart(8)} ms ${rate.flops.toFixed(1).padStart(6)} GFLOP/s ${share}`
  return `${side} ${figures} ${bytes}`.padEnd(45)
}
