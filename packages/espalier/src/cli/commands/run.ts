/** `espalier run`: a model once, on real or random inputs; or what it is compiled to. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { topOf } from '../../analysis/top.ts'
import { EspalierError, locateAsync } from '../../errors.ts'
import { formatNamed, writeTensors } from '../../formats/index.ts'
import { dump } from '../../graph/dump.ts'
import type { Graph } from '../../graph/graph.ts'
import { load } from '../../model.ts'
import { optimize, passes } from '../../runtime/optimize/index.ts'
import { partFor } from '../../runtime/part.ts'
import { type Session, session } from '../../runtime/session.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../../tensor/tensor.ts'
import { integerOption } from '../arguments.ts'
import { type Command, command, type Invocation, usage } from '../command.ts'
import { describeEngine, engineForJSON, engineOptions, readEngineOptions } from '../engine-options.ts'
import { feedOptions, makeFeeds, readSeed } from '../feeds.ts'
import { MOST_JSON_ELEMENTS, valueForJSON } from '../json.ts'
import { nearest } from '../suggest.ts'
import type { Terminal } from '../terminal.ts'
import { brief, bytes, count, milliseconds } from '../text.ts'
import { printValue } from '../values.ts'

const stages = [...passes.map(({ name }) => name), 'plan']

export const run: Command = command({
  name: 'run',
  summary: 'Run a model on arrays, pictures or random numbers, and show or save what it gives',
  positionals: ['MODEL'],
  options: {
    ...feedOptions,
    ...engineOptions,
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
    explain: { type: 'boolean', doc: 'Say how it ran: what has no kernel, then every step' },
    dump: {
      type: 'string',
      value: 'STAGE',
      doc: `Print what the model is compiled to, in place of running it: the graph after a pass (${stages.slice(0, -1).join(', ')}) or the plan`,
    },
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
    { line: 'run model.onnx --random --backend wasm --threads 1', doc: 'as a browser runs it' },
    { line: 'run model.onnx --random --explain', doc: 'which operators have no kernel, and what runs' },
    { line: 'run model.onnx --dump fuse', doc: 'the graph that is compiled, after all passes' },
  ],
  notes:
    'Pictures are stretched to the size of the input. Arrays are converted where no number changes by more than the ' +
    'precision of the input, and that is said. With --json, outputs of more than ' +
    `${MOST_JSON_ELEMENTS} elements are cut off and marked as truncated; --output keeps all.`,
  async run(invocation) {
    const { positionals, text, texts, flag, terminal } = invocation
    const file = positionals[0]!
    const seed = readSeed(invocation)
    const engine = readEngineOptions(invocation)
    const top = integerOption(invocation, 'top', 1)
    const stage = stageOption(invocation)
    const target = text('output')
    if (target !== undefined) checkTarget(target)
    const graph = await load(file, { onRead: terminal.progress(`reading ${file}`, bytes) })
    return locateAsync({ file }, async () => {
      const outputs = wantedValues(graph, texts('value'))
      if (stage !== undefined && stage !== 'plan')
        return { file, stage, ...printDump(terminal, dumpPass(graph, outputs, stage)) }
      // Before inputs are read: a model that cannot run needs none.
      using opened = await session(graph, {
        ...engine,
        seed,
        ...(outputs && { outputs }),
        onProgress: terminal.progress('running node'),
      })
      const feeds = await makeFeeds(graph, invocation)
      if (stage === 'plan') return { file, stage, ...printDump(terminal, opened.dump(feeds)) }
      const started = performance.now()
      const found = await opened.run(feeds)
      const elapsed = performance.now() - started
      const results = new Map(opened.outputs.map(name => [name, found[name]!]))
      const saved = target === undefined ? undefined : tensorsOf(results)
      for (const [name, value] of results) {
        printValue(terminal, name, value)
        if (top !== undefined && isTensor(value)) printTop(terminal, value, top)
      }
      const explanation = flag('explain') ? opened.explain(feeds) : undefined
      if (explanation !== undefined) {
        terminal.print()
        for (const line of explanation.split('\n')) terminal.print(line)
      }
      terminal.note(describeRun(opened, elapsed))
      if (target !== undefined && saved !== undefined) {
        await writeTensors(target, saved)
        terminal.note(`saved ${[...results.keys()].join(', ')} to ${target}`)
      }
      return {
        file,
        ...engineForJSON(opened),
        milliseconds: elapsed,
        ...(target !== undefined && { saved: target }),
        ...(explanation !== undefined && { explanation: explanation.split('\n') }),
        outputs: Object.fromEntries([...results].map(([name, value]) => [name, valueForJSON(value)])),
      }
    })
  },
})

/** Where a run happened, and what its time says. */
export function describeRun(engine: Pick<Session, 'backend' | 'isa' | 'threads'>, elapsed: number): string {
  const remark =
    engine.backend === 'reference'
      ? 'it is exact and not made for speed'
      : 'a first run, with its plan: espalier bench measures'
  return `ran on the ${describeEngine(engine)} in ${milliseconds(elapsed)} ms; ${remark}`
}

/** The stage of `--dump`, if given. Throws `usage` for one that there is not. */
function stageOption({ text }: Invocation): string | undefined {
  const stage = text('dump')
  if (stage === undefined || stages.includes(stage)) return stage
  throw usage(`--dump: there is no stage "${stage}"`, undefined, stages.join(', '))
}

/** The graph after a pass of the optimiser. */
function dumpPass(graph: Graph, outputs: readonly string[] | undefined, stage: string): string {
  let found = ''
  optimize(outputs === undefined ? graph : partFor(graph, outputs), {
    onPass: ({ name }, result) => {
      if (name === stage) found = dump(result)
    },
  })
  return found
}

function printDump(terminal: Terminal, text: string): { readonly text: string } {
  for (const line of text.trimEnd().split('\n')) terminal.print(line)
  return { text }
}

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

/** The values to give, if some are asked for. Throws `usage` for a name that the graph does not have. */
function wantedValues(graph: Graph, asked: readonly string[]): readonly string[] | undefined {
  if (asked.length === 0) return undefined
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
  return [...new Set(asked)]
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
