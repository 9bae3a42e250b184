/** `espalier quickstart`: the whole story on a network that is built on the spot, so that nothing has to be found first. */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { statistics } from '../../analysis/statistics.ts'
import { floatAttribute, graphBuilder } from '../../graph/builder.ts'
import type { Graph } from '../../graph/graph.ts'
import { load, save } from '../../model.ts'
import { runReference } from '../../runtime/reference.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { foldIn, normal, randomKey } from '../../tensor/random.ts'
import { isTensor, sameTensor, type Tensor } from '../../tensor/tensor.ts'
import { type Command, command } from '../command.ts'
import { amount, bytes, count, percent } from '../text.ts'

export const quickstart: Command = command({
  name: 'quickstart',
  summary: 'Build a small network, write it, read it back, inspect it and run it: does everything work here?',
  positionals: '',
  arity: [0, 0],
  options: {
    output: { type: 'string', short: 'o', value: 'FILE', doc: 'Keep the model in this ONNX file' },
  },
  examples: [
    { line: 'quickstart', doc: 'a minute with Espalier' },
    { line: 'quickstart -o tiny.onnx && espalier inspect tiny.onnx', doc: 'keep the model and look at it' },
  ],
  async run({ text, terminal }) {
    const folder = await mkdtemp(join(tmpdir(), 'espalier-'))
    try {
      const kept = text('output')
      const file = kept ?? join(folder, 'quickstart.onnx')
      const network = buildNetwork()
      await save(file, network)
      const read = await load(file)
      const { size } = await stat(file)
      const found = statistics(read, { symbols: new Map([['batch', 1]]) })
      const input = fromNumbers('float32', [1, 1, 28, 28], normal(randomKey(7), 28 * 28))
      const [before, after] = [network, read].map(
        graph => runReference(graph, { image: input }).get('classes')!,
      )
      const same = isTensor(before) && isTensor(after) && sameTensor(before, after)
      const [conv] = found.layers
      terminal.print(
        `built     a convolutional network of ${count(found.nodes)} nodes and ${count(found.parameters)} parameters`,
      )
      terminal.print(`wrote     ${kept ?? 'quickstart.onnx'}, ${bytes(size)}, and read it back`)
      terminal.print(
        `inspected ${amount(found.macs)} MACs an image; ${percent(found.sparsity.fraction)} of the weights are zero`,
      )
      terminal.print(
        `          first layer ${conv?.node}: ${percent(conv?.weights[0]?.sparsity.fraction ?? 0)} zeros, pattern ${conv?.weights[0]?.sparsity.pattern ?? 'none'}`,
      )
      terminal.print(
        `ran       ${same ? 'same bits before and after the file' : 'DIFFERENT outputs before and after the file'}`,
      )
      if (kept === undefined)
        terminal.print(
          '\nnext      espalier quickstart -o tiny.onnx; espalier inspect tiny.onnx; espalier run tiny.onnx --random -s batch=1',
        )
      if (!same) terminal.fail(1)
      return {
        file: kept,
        bytes: size,
        nodes: found.nodes,
        parameters: found.parameters,
        macs: found.macs,
        same,
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
})

/** A small classifier of 28x28 pictures, with random weights of which three in four are zero. */
function buildNetwork(): Graph {
  const g = graphBuilder({ name: 'quickstart' })
  const key = randomKey(1)
  let made = 0
  const weight = (...shape: number[]): Tensor => {
    const values = normal(foldIn(key, made++), shape)
    const scale = 1 / Math.sqrt(values.length / shape[0]!)
    return fromNumbers(
      'float32',
      shape,
      values.map((value, index) => (index % 4 === 0 ? value * scale : 0)),
    )
  }
  const image = g.input('image', 'float32', ['batch', 1, 28, 28])
  let x = image
  for (const [index, [channels, inputs]] of [
    [16, 1],
    [32, 16],
  ].entries() as Iterable<[number, [number, number]]>) {
    const w = g.constant(weight(channels, inputs, 3, 3), `conv${index + 1}.weight`)
    x = g.node('Conv', [x, w], { pads: [1, 1, 1, 1] }, { name: `conv${index + 1}` })
    x = g.node('Relu', [x])
    x = g.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] })
  }
  x = g.node('Flatten', [x])
  const w = g.constant(weight(10, 32 * 7 * 7), 'head.weight')
  x = g.node('Gemm', [x, w], { transB: 1, alpha: floatAttribute(1) }, { name: 'head' })
  g.output(g.node('Softmax', [x], {}, { outputs: ['classes'] }), {
    kind: 'tensor',
    dtype: 'float32',
    shape: ['batch', 10],
  })
  return g.build()
}
