// Models and their inputs as files, made on first use and kept in `bench/.models` until the code that makes them
// changes: what the measuring processes are given.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { load, save } from 'espalier'
import { compress } from 'espalier/compress'
import { writeOnnx } from 'espalier/onnx'
import { quantizeDynamic } from '../quantize/dynamic.mjs'
import { quantizeStatic } from '../quantize/static.mjs'
import { writeTensors } from '../tensors.mjs'
import { randomSource } from './random.mjs'
import { prune, readSetting } from './sparsity.mjs'

const folder = join(import.meta.dirname, '../../.models')

/** Path of the model as an ONNX file; with `int8` its quantised form. Throws for one that is not quantised here. */
export async function modelFile(entry, { int8 = false } = {}) {
  if (!int8 && entry.file !== undefined) return entry.file
  if (!int8) return cached(`${entry.name}.onnx`, async file => writeOnnx(file, await entry.build()))
  const quantize = quantizers[entry.int8]
  if (quantize === undefined) throw new Error(`${entry.name} has no int8 form`)
  const float = await modelFile(entry)
  return cached(`${entry.name}.int8.onnx`, async file => {
    const feeds = await entry.cases[0].feeds(randomSource(7))
    await writeOnnx(file, await quantize(float, feeds))
  })
}

/**
 * The model with the zeros of `setting` (sparsity.mjs) in two files: `onnx` has the zeros spelled out, for the peer to
 * judge by, `espalier` is compressed, which is what ours runs. Weights are random, so accuracy means nothing here.
 */
export async function sparseFiles(entry, setting) {
  const name = `${entry.name}.${setting.replaceAll(',', '-')}`
  const onnx = await cached(`${name}.onnx`, async file => writeOnnx(file, await sparseGraph(entry, setting)))
  return { onnx, espalier: await cached(`${name}.espalier`, async file => save(file, await load(onnx))) }
}

async function sparseGraph(entry, setting) {
  const { int8, ...zeros } = readSetting(setting)
  const pruned = prune(await load(await modelFile(entry)), zeros)
  if (!int8) return pruned
  const { graph } = await compress(pruned, {
    quantize: entry.int8 === 'static' ? 'int8-static' : 'int8-dynamic',
    data: [Object.fromEntries(await entry.cases[0].feeds(randomSource(7)))],
  })
  return graph
}

/** By what the catalogue calls them: functions from a file and calibration feeds to a graph. */
const quantizers = {
  dynamic: file => quantizeDynamic(file),
  'dynamic per column': file => quantizeDynamic(file, { perColumn: true }),
  static: (file, feeds) => quantizeStatic(file, { feeds }),
}

/** Path of the inputs of a case, as tensors.mjs keeps them. */
export function feedsFile(entry, { label, feeds }) {
  const name = `${entry.name}.${label.replaceAll(/\W+/g, '_')}.feeds`
  return cached(name, async file => writeTensors(file, await feeds(randomSource(3))))
}

/** `make(file)` when there is no file of this name made by this code. */
async function cached(name, make) {
  const file = join(folder, `${stamp()}-${name}`)
  if (existsSync(file)) return file
  mkdirSync(folder, { recursive: true })
  for (const old of readdirSync(folder))
    if (old.slice(STAMP_LENGTH) === `-${name}`) rmSync(join(folder, old), { force: true })
  try {
    await make(file)
  } catch (cause) {
    rmSync(file, { force: true })
    throw cause
  }
  return file
}

const STAMP_LENGTH = 12
let known

/** A digest of the code that makes the files. */
function stamp() {
  if (known !== undefined) return known
  const hash = createHash('sha256')
  for (const part of ['models', 'quantize']) {
    const sources = join(import.meta.dirname, '..', part)
    for (const file of readdirSync(sources).sort()) hash.update(readFileSync(join(sources, file)))
  }
  known = hash.digest('hex').slice(0, STAMP_LENGTH)
  return known
}
