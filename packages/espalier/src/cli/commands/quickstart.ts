/**
 * `espalier quickstart`: the story on a network that is built on the spot, so that nothing has to be found first. All
 * that it says was measured a moment before, also that zeros alone save nothing.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ModelStatistics, statistics } from '../../analysis/statistics.ts'
import { graphBuilder } from '../../graph/builder.ts'
import type { Graph } from '../../graph/graph.ts'
import { load, save } from '../../model.ts'
import { benchmark } from '../../runtime/benchmark.ts'
import { type Session, session } from '../../runtime/session.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { foldIn, normal, randomKey } from '../../tensor/random.ts'
import { isTensor, sameTensor, type Tensor } from '../../tensor/tensor.ts'
import { type Command, command } from '../command.ts'
import { describeEngine, engineForJSON } from '../engine-options.ts'
import { amount, bytes, facts, milliseconds, percent, plural } from '../text.ts'

export const quickstart: Command = command({
  name: 'quickstart',
  summary: 'Build, write, read, inspect, run and measure a small network: Espalier in a minute',
  positionals: [],
  options: {
    output: { type: 'string', short: 'o', value: 'FILE', doc: 'Keep the model in this ONNX file' },
  },
  examples: [
    { line: 'quickstart', doc: 'does everything work here, and what does it look like' },
    { line: 'quickstart --output tiny.onnx', doc: 'keep the model, to inspect and run it' },
  ],
  notes:
    'Leaves nothing behind, unless --output asks for it. The exit code is 1 when something does not work.',
  async run({ text, terminal }) {
    const kept = text('output')
    const sparse = buildNetwork(0.75)
    const read = await roundTrip(sparse, kept)
    const dense = await roundTrip(buildNetwork(0), undefined)
    const found = statistics(read.graph, { symbols: new Map([['batch', 1]]) })
    const open = (graph: Graph): Promise<Session> =>
      session(graph, { shapes: { batch: 1 }, onWarning: message => terminal.warn(message) })
    using unwritten = await open(sparse)
    using withZeros = await open(read.graph)
    using without = await open(dense.graph)
    const same = sameTensor(run(unwritten), run(withZeros))
    const timings = await benchmark(
      [withZeros, without].map((opened, index) => ({ name: `${index}`, run: () => run(opened) })),
      { runs: 50 },
    )
    const [sparseMs, denseMs] = timings.map(({ median }) => median) as [number, number]
    terminal.print(terminal.style('bold', 'A small network for pictures of 28x28, from building to running'))
    terminal.print()
    const lines = story(found, { kept, bytes: read.bytes }, describeEngine(withZeros), same)
    for (const line of facts(lines, terminal.width)) terminal.print(line)
    terminal.print()
    terminal.print(
      `${percent(found.sparsity.fraction)} of its weights are zero. Measured against the same network without zeros:`,
    )
    terminal.print(`  with zeros    ${bytes(read.bytes)}, ${milliseconds(sparseMs)} ms a picture`)
    terminal.print(`  without       ${bytes(dense.bytes)}, ${milliseconds(denseMs)} ms a picture`)
    terminal.print(
      'Zeros alone save neither: a file and a kernel have to make use of them. That is what Espalier is for,',
    )
    terminal.print('and why it never shows a sparsity without the bytes and milliseconds beside it.')
    const file = kept ?? 'tiny.onnx'
    terminal.print()
    terminal.print('Next')
    if (kept === undefined) terminal.print(`  espalier quickstart --output ${file}`)
    terminal.print(`  espalier inspect ${file}`)
    terminal.print(`  espalier run ${file} --random --top 3`)
    terminal.print(`  espalier profile ${file}`)
    if (!same) terminal.fail(1)
    return {
      ...(kept !== undefined && { file: kept }),
      ...engineForJSON(withZeros),
      nodes: found.nodes,
      parameters: found.parameters,
      macs: found.macs,
      same,
      sparsity: found.sparsity.fraction,
      bytes: { withZeros: read.bytes, without: dense.bytes },
      milliseconds: { withZeros: sparseMs, without: denseMs },
    }
  },
})

/** What was done, step by step. */
function story(
  found: ModelStatistics,
  file: { readonly kept: string | undefined; readonly bytes: number },
  engine: string,
  same: boolean,
): [string, string][] {
  const layer = found.layers.find(({ weights }) => weights.some(({ sparsity }) => sparsity.zeros > 0))
  const weight = layer?.weights[0]
  return [
    ['built', `${plural(found.nodes, 'node')}, ${plural(found.parameters, 'parameter')}`],
    ['wrote', `${file.kept ?? 'an ONNX file'}, ${bytes(file.bytes)}, and read it back`],
    [
      'inspected',
      `${amount(found.macs)} MACs a picture; layer ${layer?.node}: ${percent(weight?.sparsity.fraction ?? 0)} zeros ` +
        `in the pattern ${weight?.sparsity.pattern}, stored in ${bytes(weight?.bytes ?? 0)}`,
    ],
    ['ran', `on the ${engine}: ${same ? 'the same bits' : 'DIFFERENT NUMBERS'} before and after the file`],
  ]
}

/** A graph written to a file and read back; the file stays when it has a name, and goes at once when it has none. */
async function roundTrip(
  graph: Graph,
  kept: string | undefined,
): Promise<{ readonly graph: Graph; readonly bytes: number }> {
  const folder = kept === undefined ? await mkdtemp(join(tmpdir(), 'espalier-')) : undefined
  try {
    const file = kept ?? join(folder!, 'quickstart.onnx')
    await save(file, graph)
    return { graph: await load(file), bytes: (await stat(file)).size }
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
}

const picture: Tensor = fromNumbers('float32', [1, 1, 28, 28], normal(randomKey(7), 28 * 28))

function run(opened: Session): Tensor {
  const { classes } = opened.runSync({ image: picture })
  if (!isTensor(classes)) throw new Error('the network gives no classes')
  return classes
}

/** A classifier of 28x28 pictures with random weights, of which a share is zero: in every four inputs alike. */
function buildNetwork(sparsity: 0 | 0.75): Graph {
  const g = graphBuilder({ name: 'quickstart' })
  const key = randomKey(1)
  let made = 0
  const weight = (...shape: number[]): Tensor => {
    const values = normal(foldIn(key, made++), shape)
    const scale = 1 / Math.sqrt(values.length / shape[0]!)
    const inner = values.length / shape[0]! / shape[1]!
    // One input in four is kept, and another one for the next output: the pattern 1:4.
    const keeps = (index: number): boolean => {
      const input = Math.floor(index / inner)
      return input % 4 === Math.floor(input / shape[1]!) % 4
    }
    return fromNumbers(
      'float32',
      shape,
      values.map((value, index) => (sparsity === 0 || keeps(index) ? value * scale : 0)),
    )
  }
  let x = g.input('image', 'float32', ['batch', 1, 28, 28])
  const channels = [1, 16, 32]
  for (let layer = 1; layer < channels.length; layer++) {
    const w = g.constant(weight(channels[layer]!, channels[layer - 1]!, 3, 3), `conv${layer}.weight`)
    x = g.node('Conv', [x, w], { pads: [1, 1, 1, 1] }, { name: `conv${layer}` })
    x = g.node('Relu', [x])
    x = g.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] })
  }
  x = g.node('Flatten', [x])
  const w = g.constant(weight(10, 32 * 7 * 7), 'head.weight')
  x = g.node('Gemm', [x, w], { transB: 1 }, { name: 'head' })
  g.output(g.node('Softmax', [x], {}, { outputs: ['classes'] }), {
    kind: 'tensor',
    dtype: 'float32',
    shape: ['batch', 10],
  })
  return g.build()
}
