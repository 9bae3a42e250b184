/** `espalier run`: a model once, on real or random inputs. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { batchSymbols, inputSymbols } from '../../analysis/symbols.ts'
import { topOf } from '../../analysis/top.ts'
import { EspalierError, locateAsync } from '../../errors.ts'
import { formatNamed, writeTensors } from '../../formats/index.ts'
import { describeValue } from '../../graph/describe.ts'
import type { Graph, Value } from '../../graph/graph.ts'
import { load } from '../../model.ts'
import { readFeeds } from '../../runtime/feed-files.ts'
import { requiredInputs } from '../../runtime/feeds.ts'
import { randomFeeds } from '../../runtime/random-feeds.ts'
import { reference } from '../../runtime/reference.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../../tensor/tensor.ts'
import { integerOption, numbersOption } from '../arguments.ts'
import { type Command, command, type Invocation, usage } from '../command.ts'
import { readFeedFile, readRows } from '../inputs.ts'
import { MOST_JSON_ELEMENTS, valueForJSON } from '../json.ts'
import { nearest } from '../suggest.ts'
import { checkSymbols, readSymbols, symbolOption } from '../symbols.ts'
import type { Terminal } from '../terminal.ts'
import { brief, bytes, count } from '../text.ts'
import { printValue } from '../values.ts'

export const run: Command = command({
  name: 'run',
  summary: 'Run a model on arrays, pictures or random numbers, and show or save what it gives',
  positionals: ['MODEL'],
  options: {
    input: {
      type: 'string',
      short: 'i',
      multiple: true,
      value: 'NAME=FILE',
      doc: 'An input: npy, npz, safetensors, IDX, CIFAR, a picture; FILE#ARRAY takes one array of several. NAME= may be left out where it is clear. May be repeated',
    },
    take: {
      type: 'string',
      value: 'N or A:B',
      doc: 'Rows of the arrays: the first N, or those from A up to B',
    },
    random: {
      type: 'boolean',
      short: 'r',
      doc: 'Fill the other inputs with random numbers (normal; 0 and 1 for integers)',
    },
    seed: { type: 'string', value: 'N', doc: 'Seed of the random numbers; 0 when left out' },
    symbol: symbolOption,
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      doc: 'Save the outputs: npz, safetensors; npy for a single one',
    },
    value: {
      type: 'string',
      short: 'v',
      multiple: true,
      value: 'NAME',
      doc: 'Give this value of the graph in place of the outputs; may be repeated',
    },
    top: { type: 'string', value: 'K', doc: 'Show the K largest elements of every row, as of a classifier' },
    scale: {
      type: 'string',
      value: 'X',
      doc: 'Pictures and bytes: factor, first; 1/255 for float inputs when left out',
    },
    mean: { type: 'string', value: 'R,G,B', doc: 'Pictures and bytes: subtracted, second' },
    std: { type: 'string', value: 'R,G,B', doc: 'Pictures and bytes: divided by, last' },
  },
  examples: [
    { line: 'run model.onnx --random', doc: 'does it run, and what comes out' },
    { line: 'run model.onnx --input x=x.npy -o y.npz', doc: 'arrays in, arrays out' },
    {
      line: 'run resnet.onnx -i photo.jpg --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --top 5',
      doc: 'a picture, normalised as ImageNet models want it, and the five likeliest classes',
    },
    {
      line: 'run lenet.onnx -i t10k-images-idx3-ubyte.gz --take 8 --scale 1/255 --top 1',
      doc: 'the first eight digits of a data set',
    },
    { line: 'run model.onnx --random --symbol batch=8 --seed 1', doc: 'a batch of 8, always the same' },
  ],
  notes:
    'Pictures are stretched to the size of the input. Arrays are converted where no number changes by more than the ' +
    'precision of the input, and that is said. With --json, outputs of more than ' +
    `${MOST_JSON_ELEMENTS} elements are cut off and marked as truncated; --output keeps all.`,
  async run(invocation) {
    const { positionals, text, texts, terminal } = invocation
    const file = positionals[0]!
    const seed = integerOption(invocation, 'seed', 0) ?? 0
    const top = integerOption(invocation, 'top', 1)
    const target = text('output')
    if (target !== undefined) checkTarget(target)
    const graph = await load(file, { onRead: terminal.progress(`reading ${file}`, bytes) })
    return locateAsync({ file }, async () => {
      const outputs = wantedValues(graph, texts('value'))
      // Before inputs are read: a model that cannot run needs none.
      const prepared = reference.prepare(graph, {
        seed,
        outputs,
        onProgress: terminal.progress('running node'),
      })
      const feeds = await makeFeeds(graph, invocation, seed)
      const started = performance.now()
      const results = prepared.run(feeds)
      const milliseconds = performance.now() - started
      prepared.dispose()
      const saved = target === undefined ? undefined : tensorsOf(results)
      for (const [name, value] of results) {
        printValue(terminal, name, value)
        if (top !== undefined && isTensor(value)) printTop(terminal, value, top)
      }
      terminal.note(
        `ran on the ${reference.name} back end in ${milliseconds.toFixed(1)} ms; it is exact and not made for speed`,
      )
      if (target !== undefined && saved !== undefined) {
        await writeTensors(target, saved)
        terminal.note(`saved ${[...results.keys()].join(', ')} to ${target}`)
      }
      return {
        file,
        backEnd: reference.name,
        milliseconds,
        ...(target !== undefined && { saved: target }),
        outputs: Object.fromEntries([...results].map(([name, value]) => [name, valueForJSON(value)])),
      }
    })
  },
})

/** Throws, before anything runs, when outputs cannot be saved under a name. */
function checkTarget(target: string): void {
  if (formatNamed(target).holds !== 'tensors')
    throw usage(`--output ${target}: outputs are arrays`, 'Save them as npz or safetensors')
  if (!existsSync(dirname(target)))
    throw new EspalierError('not-found', `there is no folder ${dirname(target)}`, {
      where: { file: target },
      hint: 'Create it first',
    })
}

/** The values to give. Throws `usage` for a name that the graph does not have. */
function wantedValues(graph: Graph, asked: readonly string[]): readonly string[] {
  if (asked.length === 0) return graph.outputs.map(({ name }) => name)
  const known = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(node => node.outputs),
  ])
  for (const name of asked) {
    if (known.has(name) && name !== '') continue
    const near = nearest(name, known)
    throw usage(
      `the model has no value "${name}"`,
      near === undefined ? 'espalier inspect --graph shows all of them' : `Did you mean ${near}?`,
    )
  }
  return asked
}

/** Values for all inputs: from files, at random, or empty optionals. */
async function makeFeeds(
  graph: Graph,
  invocation: Invocation,
  seed: number,
): Promise<Map<string, RuntimeValue>> {
  const { text, texts, flag, terminal } = invocation
  const note = (line: string): void => terminal.note(`note: ${line}`)
  const symbols = readSymbols(texts('symbol'))
  checkSymbols(symbols, inputSymbols(graph))
  const [scale, ...further] = numbersOption(invocation, 'scale') ?? []
  if (further.length > 0) throw usage('--scale is one number for all channels')
  const [mean, std] = [numbersOption(invocation, 'mean'), numbersOption(invocation, 'std')]
  const take = text('take')
  const feeds = await readFeeds(
    graph,
    texts('input').map(given => readFeedFile(given, graph)),
    {
      symbols,
      normalization: {
        ...(scale !== undefined && { scale }),
        ...(mean && { mean }),
        ...(std && { std }),
      },
      ...(take !== undefined && { rows: readRows(take) }),
      onNote: note,
    },
  )
  const open = requiredInputs(graph).filter(({ name }) => !feeds.has(name))
  for (const { name, type } of open)
    if (type?.kind === 'optional') {
      note(`input "${name}" is optional and left empty`)
      feeds.set(name, null)
    }
  const missing = open.filter(({ type }) => type?.kind !== 'optional')
  if (missing.length === 0) return feeds
  if (!flag('random')) throw missingInputs(missing)
  for (const symbol of batchSymbols(graph))
    if (!symbols.has(symbol)) {
      symbols.set(symbol, 1)
      note(`${symbol} is taken as 1; --symbol ${symbol}=N for another`)
    }
  for (const [name, value] of randomFeeds(missing, { seed, symbols })) feeds.set(name, value)
  return feeds
}

function missingInputs(missing: readonly Value[]): EspalierError {
  return new EspalierError('missing-input', `no value for ${missing.map(describeValue).join(', ')}`, {
    hint: `Give ${missing.map(({ name }) => `--input ${name}=FILE`).join(' ')}, or --random`,
  })
}

function tensorsOf(results: ReadonlyMap<string, RuntimeValue>): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>()
  for (const [name, value] of results) {
    if (!isTensor(value))
      throw new EspalierError('unsupported-format', 'only tensors can be saved', {
        where: { tensor: name },
        got: value === null ? 'an empty optional' : 'a sequence',
        hint: 'Name the values to save with --value',
      })
    tensors.set(name, value)
  }
  return tensors
}

/** Rows of which the largest elements are shown. */
const MOST_ROWS = 8

function printTop(terminal: Terminal, value: Tensor, k: number): void {
  const rows = topOf(value, k, MOST_ROWS)
  for (const [index, row] of rows.entries()) {
    const ranked = row.map(({ index: at, value: x }) => `${at} (${brief(x)})`).join(', ')
    terminal.print(`  top ${row.length}${rows.length > 1 ? ` of row ${index}` : ''}: ${ranked}`)
  }
  const width = value.shape.at(-1) ?? 1
  const all = width === 0 ? 0 : value.shape.reduce((product, extent) => product * extent, 1) / width
  if (all > rows.length) terminal.print(`  and ${count(all - rows.length)} more rows`)
}
