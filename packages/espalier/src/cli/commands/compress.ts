/** `espalier compress`: pruning and quantisation, into a smaller file. */
import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { weightViews } from '../../analysis/weight-views.ts'
import {
  type CompressOptions,
  compressionSizes,
  compress as compressModel,
  type QuantizedForm,
  quantizedForms,
} from '../../compress/compress.ts'
import { patterns } from '../../compress/patterns/index.ts'
import { EspalierError, locateAsync } from '../../errors.ts'
import { writeEspalier } from '../../formats/espalier/index.ts'
import { formatNamed } from '../../formats/index.ts'
import type { Graph } from '../../graph/graph.ts'
import { validate } from '../../graph/validate.ts'
import { load, save } from '../../model.ts'
import { batchesOf } from '../../runtime/batches.ts'
import type { Feeds } from '../../runtime/executor.ts'
import { readFeeds } from '../../runtime/feed-files.ts'
import { integerOption, numbersOption } from '../arguments.ts'
import { type Command, command, type Invocation, usage } from '../command.ts'
import { engineOptions, readEngineOptions } from '../engine-options.ts'
import { readFeedFile, readRows } from '../inputs.ts'
import { printCompression } from '../reports/compression.ts'
import { bytes, plural } from '../text.ts'

export const compress: Command = command({
  name: 'compress',
  summary: 'Make a model smaller: prune weights to a pattern, store them as integers',
  positionals: ['MODEL'],
  options: {
    output: { type: 'string', short: 'o', value: 'FILE', doc: 'The new model: .espalier, or .onnx' },
    sparsity: {
      type: 'string',
      short: 's',
      value: 'X',
      doc: 'Share of the weights that become zero, as 0.8',
    },
    pattern: {
      type: 'string',
      short: 'p',
      value: 'NAME',
      doc: `Which zeros: ${patterns.map(({ name }) => name).join(', ')}, blocks as 4x4; unstructured when left out`,
    },
    threshold: {
      type: 'string',
      value: 'SCOPE',
      doc: 'layer: each layer is so sparse (when left out); global: all of them together',
    },
    'keep-first': { type: 'boolean', doc: 'Leave the first layer as it is' },
    'keep-last': { type: 'boolean', doc: 'Leave the last layer as it is' },
    smallest: {
      type: 'string',
      value: 'N',
      doc: 'Fewest elements of a weight that is changed; 1024 when left out',
    },
    quantize: {
      type: 'string',
      short: 'q',
      value: 'FORM',
      doc: `Weights as integers: ${quantizedForms.join(', ')}. int8 is static with --data and dynamic without`,
    },
    data: {
      type: 'string',
      short: 'd',
      multiple: true,
      value: 'NAME=FILE',
      doc: 'Inputs to take the ranges of activations from: npz, npy and others, as --input of run. May be repeated',
    },
    take: {
      type: 'string',
      value: 'N or A:B',
      doc: 'Rows of the data: the first N, or those from A up to B',
    },
    sparse: { type: 'boolean', doc: 'ONNX: store weights as sparse tensors where that takes fewer bytes' },
    all: { type: 'boolean', short: 'a', doc: 'Show every layer, and not only the largest' },
    ...engineOptions,
  },
  examples: [
    {
      line: 'compress model.onnx --sparsity 0.9 -o small.espalier',
      doc: 'the smallest nine of ten weights away',
    },
    {
      line: 'compress model.onnx -s 0.8 -p block4 -q int8 --data calibration.npz -o small.espalier',
      doc: 'blocks of four inputs, 8-bit integers, ranges from data',
    },
    {
      line: 'compress model.onnx --pattern 2:4 --quantize int8-weights -o small.onnx',
      doc: 'two of every four',
    },
    { line: 'compress model.onnx --quantize int8 -o small.onnx', doc: 'no zeros, integers alone' },
  ],
  notes:
    'Weights are pruned by magnitude, in one step: above half zeros most models then need training, or a better ' +
    'criterion. Bytes are those that were stored; "bound" is the entropy of a random pattern of the same form with its ' +
    'values, below which no code gets. Times are measured by espalier bench.',
  async run(invocation) {
    const { positionals, text, flag, terminal } = invocation
    const file = positionals[0]!
    const target = targetOption(invocation)
    const options = readOptions(invocation)
    const graph = await load(file, { onRead: terminal.progress(`reading ${file}`, bytes) })
    return locateAsync({ file }, async () => {
      const data = await readData(graph, invocation)
      const made = await compressModel(graph, {
        ...options,
        ...(data.length > 0 && { data }),
        session: readEngineOptions(invocation),
      })
      const checked = validate(made.graph)
      const compressed = formatNamed(target).name === 'espalier'
      const report = compressed
        ? await writeEspalier(target, checked, {
            views: weightViews(checked),
            onProgress: terminal.progress(`writing ${target}`),
          })
        : undefined
      if (!compressed) await save(target, checked, { sparse: flag('sparse') })
      const sizes = compressionSizes(made, report)
      const fileBytes = { before: statSync(file).size, after: statSync(target).size }
      const left = [...(made.pruning?.skipped ?? []), ...(made.quantization?.skipped ?? [])]
      const skipped = [...new Map(left.map(weight => [`${weight.name} ${weight.reason}`, weight])).values()]
      printCompression(terminal, { sizes, skipped, fileBytes, target, compressed }, flag('all'))
      if (data.length > 0 && made.quantization === undefined)
        terminal.warn(
          `--data was not needed: nothing is quantised${text('quantize') ? '' : ' without --quantize'}`,
        )
      terminal.note(`wrote ${target}: ${plural(sizes.layers.length, 'layer')} changed`)
      return { file, output: target, fileBytes, ...sizes, skipped }
    })
  },
})

/** The file to write. Throws, before anything is done, when there cannot be one. */
function targetOption({ positionals, text }: Invocation): string {
  const target = text('output')
  if (target === undefined)
    throw usage(
      'espalier compress needs --output FILE',
      undefined,
      'a path that ends with .espalier or .onnx',
    )
  if (formatNamed(target).holds !== 'graph')
    throw usage(
      `--output ${target}: a model is written`,
      undefined,
      'a path that ends with .espalier or .onnx',
    )
  const file = positionals[0]!
  if (existsSync(target) && existsSync(file) && realpathSync(target) === realpathSync(file))
    throw usage(
      `--output ${target} is the model itself`,
      'What compressing takes away is not to be had back: name another file',
    )
  if (existsSync(dirname(target))) return target
  throw new EspalierError('not-found', `there is no folder ${dirname(target)}`, {
    where: { file: target },
    hint: 'Create it first',
  })
}

function readOptions(invocation: Invocation): CompressOptions {
  const { text, flag } = invocation
  const [sparsity, ...others] = numbersOption(invocation, 'sparsity') ?? []
  if (others.length > 0 || (sparsity !== undefined && !(sparsity >= 0 && sparsity <= 1)))
    throw usage(`--sparsity is no share of the weights: "${text('sparsity')}"`, undefined, '0 to 1, as 0.8')
  const pattern = text('pattern')
  const threshold = oneOf(text('threshold'), ['layer', 'global'] as const, 'threshold')
  const quantize: QuantizedForm | undefined = oneOf(text('quantize'), quantizedForms, 'quantize')
  const smallest = integerOption(invocation, 'smallest', 0)
  if (sparsity === undefined && pattern === undefined && quantize === undefined)
    throw usage('there is nothing to do', 'Give --sparsity, --pattern or --quantize')
  return {
    ...(sparsity !== undefined && { sparsity }),
    ...(pattern !== undefined && { pattern }),
    ...(threshold && { threshold }),
    ...(quantize && { quantize }),
    ...(smallest !== undefined && { smallest }),
    keepFirst: flag('keep-first'),
    keepLast: flag('keep-last'),
  }
}

function oneOf<T extends string>(
  given: string | undefined,
  all: readonly T[],
  option: string,
): T | undefined {
  const found = all.find(name => name === given)
  if (given === undefined || found !== undefined) return found
  throw usage(`--${option} is none of these: "${given}"`, undefined, all.join(', '))
}

/** The runs that `--data` stands for. */
async function readData(graph: Graph, { text, texts, terminal }: Invocation): Promise<readonly Feeds[]> {
  const files = texts('data')
  if (files.length === 0) return []
  const take = text('take')
  const feeds = await readFeeds(
    graph,
    files.map(given => readFeedFile(given, graph)),
    { ...(take !== undefined && { rows: readRows(take) }), onNote: line => terminal.note(`note: ${line}`) },
  )
  return batchesOf(graph, feeds)
}
