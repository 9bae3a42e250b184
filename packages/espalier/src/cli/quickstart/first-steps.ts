/** The first half of `espalier quickstart`: a small network, built, written, read, inspected and run, to see that all works. */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ModelStatistics, statistics } from '../../analysis/statistics.ts'
import { graphBuilder } from '../../graph/builder.ts'
import type { Dim, Graph } from '../../graph/graph.ts'
import { load, save } from '../../model.ts'
import { type Session, type SessionOptions, session } from '../../runtime/session.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { foldIn, normal, randomKey } from '../../tensor/random.ts'
import { isTensor, sameTensor, type Tensor } from '../../tensor/tensor.ts'
import { describeEngine, engineForJSON } from '../engine-options.ts'
import type { Terminal } from '../terminal.ts'
import { amount, bytes, facts, percent, plural } from '../text.ts'

/** What came of it. */
export interface FirstSteps {
  readonly nodes: number
  readonly parameters: number
  readonly macs: Dim
  readonly bytes: number
  /** Whether the same bits came out before and after the file. */
  readonly same: boolean
}

/** Builds and runs it; `kept` is the ONNX file that it stays in, a temporary one when left out. Prints the story. */
export async function firstSteps(
  terminal: Terminal,
  kept: string | undefined,
  engine: SessionOptions,
): Promise<FirstSteps> {
  const built = buildNetwork()
  const read = await roundTrip(built, kept)
  const found = statistics(read.graph, { symbols: new Map([['batch', 1]]) })
  const open = (graph: Graph): Promise<Session> => session(graph, { ...engine, shapes: { batch: 1 } })
  using before = await open(built)
  using after = await open(read.graph)
  const same = sameTensor(run(before), run(after))
  terminal.print(terminal.style('bold', 'A small network for pictures of 28x28, from building to running'))
  terminal.print()
  const lines = story(found, { kept, bytes: read.bytes }, describeEngine(after), same)
  for (const line of facts(lines, terminal.width)) terminal.print(line)
  return {
    ...engineForJSON(after),
    nodes: found.nodes,
    parameters: found.parameters,
    macs: found.macs,
    bytes: read.bytes,
    same,
  }
}

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

/** A classifier of 28x28 pictures with random weights, of which three in four are zero. */
function buildNetwork(): Graph {
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
      values.map((value, index) => (keeps(index) ? value * scale : 0)),
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
