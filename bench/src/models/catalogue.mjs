// Every model that the engine is measured on: how it is made, the shapes it runs at, and how it is quantised.
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { symbolsOf } from 'espalier/graph'
import { readOnnx } from 'espalier/onnx'
import { randomFeeds, requiredInputs } from 'espalier/runtime'
import { bert } from './bert.mjs'
import { mobilenetV1, mobilenetV2, resnet20, resnet50 } from './convolutional.mjs'
import { gpt2 } from './gpt2.mjs'
import { lstm } from './lstm.mjs'
import { randomFloats, randomIntegers } from './random.mjs'
import { vit } from './vit.mjs'

const root = join(import.meta.dirname, '../../..')
/** Real models and data; most of the benchmarks do without. */
export const dataFolder = process.env.ESPALIER_DATA ?? join(root, '../shared/data')

const tensorOf = (dtype, shape, data) => ({ dtype, shape, data })
const count = shape => shape.reduce((a, b) => a * b, 1)
const floats = (source, shape) => tensorOf('float32', shape, randomFloats(source, count(shape)))
const integers = (source, shape, bound) =>
  tensorOf('int64', shape, randomIntegers(source, count(shape), bound))
const filled = (shape, value) => tensorOf('int64', shape, new BigInt64Array(count(shape)).fill(BigInt(value)))

const images = (size, name) => batch => ({
  label: `${batch}x3x${size}x${size}`,
  feeds: source => new Map([[name, floats(source, [batch, 3, size, size])]]),
})

/**
 * The models that are built in code, and every ONNX file of the data folder. `build` gives a graph or, for a file,
 * there is `file`; `cases` are a label and a function from a random source to feeds; `int8` says how the model is
 * quantised for the int8 rows, if it is.
 */
export function catalogue() {
  return [
    {
      name: 'bert-base',
      build: () => bert(),
      int8: 'dynamic',
      cases: [
        {
          label: '1x128',
          feeds: source =>
            new Map([
              ['input_ids', integers(source, [1, 128], 30522)],
              ['attention_mask', filled([1, 128], 1)],
              ['token_type_ids', filled([1, 128], 0)],
            ]),
        },
      ],
    },
    { name: 'vit-tiny', build: () => vit(), int8: 'dynamic', cases: [images(224, 'pixel_values')(1)] },
    { name: 'resnet50', build: () => resnet50(), int8: 'static', cases: [1, 16].map(images(224, 'input')) },
    { name: 'mobilenetv1', build: () => mobilenetV1(), int8: 'static', cases: [images(224, 'input')(1)] },
    { name: 'mobilenetv2', build: () => mobilenetV2(), int8: 'static', cases: [images(224, 'input')(1)] },
    { name: 'resnet20', build: buildResnet20, int8: 'static', cases: [1, 128].map(images(32, 'input')) },
    {
      name: 'gpt2-step',
      build: () => gpt2(),
      int8: 'dynamic per column',
      cases: [{ label: '1+512', feeds: gpt2Feeds }],
    },
    {
      name: 'lstm',
      build: () => lstm(),
      cases: [{ label: '100x1x512', feeds: source => new Map([['input', floats(source, [100, 1, 512])]]) }],
    },
    ...dataModels(),
  ]
}

function buildResnet20() {
  const file = join(dataFolder, 'models/cifar10/resnet20-12fca82f.safetensors')
  return resnet20(existsSync(file) ? file : undefined)
}

function gpt2Feeds(source) {
  const past = 512
  const feeds = new Map([
    ['input_ids', integers(source, [1, 1], 50257)],
    ['attention_mask', filled([1, past + 1], 1)],
    ['position_ids', filled([1, 1], past)],
  ])
  for (let layer = 0; layer < 12; layer++)
    for (const part of ['key', 'value'])
      feeds.set(`past_key_values.${layer}.${part}`, floats(source, [1, 12, past, 64]))
  return feeds
}

/** Feeds for models whose inputs are more than random numbers, by the path's end. */
const knownFeeds = {
  'magika-standard_v3_3/model.onnx': source =>
    new Map([['bytes', tensorOf('int32', [1, 2048], randomIntegers(source, 2048, 256, Int32Array))]]),
}

/** Every ONNX file of the data folder, with its symbolic extents at 1. None, and a line that says so, without it. */
function dataModels() {
  const folder = join(dataFolder, 'models/onnx')
  if (!existsSync(folder)) {
    console.error(`no models in ${folder}: set ESPALIER_DATA to measure real ones too`)
    return []
  }
  const files = readdirSync(folder, { recursive: true }).filter(file => file.endsWith('.onnx'))
  return files.sort().map(path => {
    const file = join(folder, path)
    return {
      name: relative(folder, dirname(file)).split('-')[0] || basename(file, '.onnx'),
      file,
      cases: [{ label: 'batch 1', feeds: async source => knownFeeds[path]?.(source) ?? anyFeeds(file) }],
    }
  })
}

async function anyFeeds(file) {
  const inputs = requiredInputs(await readOnnx(file))
  const names = inputs.flatMap(({ type }) => (type?.shape ?? []).flatMap(dim => symbolsOf(dim) ?? []))
  return randomFeeds(inputs, { symbols: new Map(names.map(name => [name, 1])) })
}
