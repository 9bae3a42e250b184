/** `espalier inspect`: what is in a file. */

import { annotate, infer } from '../../analysis/infer.ts'
import { type ModelStatistics, statistics } from '../../analysis/statistics.ts'
import { type TensorStatistics, tensorStatistics } from '../../analysis/tensors.ts'
import { locate } from '../../errors.ts'
import { type NamedTensors, readFile } from '../../formats/index.ts'
import { describeType } from '../../graph/describe.ts'
import { dump } from '../../graph/dump.ts'
import type { Value } from '../../graph/graph.ts'
import { validate } from '../../graph/validate.ts'
import { formatShape } from '../../tensor/shape.ts'
import { type Command, command } from '../command.ts'
import { readSymbols, symbolOption } from '../symbols.ts'
import type { Terminal } from '../terminal.ts'
import { amount, bytes, type Column, count, percent, shorten, table } from '../text.ts'

export const inspect: Command = command({
  name: 'inspect',
  summary: 'Show what is in a model or tensor file: operators, shapes, parameters, bytes, MACs, sparsity',
  positionals: 'FILE',
  arity: [1, 1],
  options: {
    symbol: symbolOption,
    graph: { type: 'boolean', doc: 'Print the graph itself, one line a node, with inferred shapes' },
  },
  examples: [
    { line: 'inspect model.onnx', doc: 'operators, layers, sparsity of every weight' },
    { line: 'inspect model.onnx --symbol batch=8', doc: 'with MACs and shapes for a batch of 8' },
    { line: 'inspect weights.safetensors --json', doc: 'tensors of a file, for a program' },
  ],
  notes:
    'MACs are multiply-accumulates of one run. zeros, 4-blocks (blocks of four zeros along the inputs) and N:M say\n' +
    'what is stored; whether that is faster is a matter of measurement.',
  async run({ positionals, texts, flag, terminal }) {
    const file = positionals[0]!
    const contents = await readFile(file)
    if (contents.kind === 'tensors') {
      const tensors = tensorStatistics(contents.tensors)
      printTensors(terminal, file, contents, tensors)
      return { file, tensors, metadata: contents.metadata ?? {} }
    }
    return locate({ file }, () => {
      const graph = validate(contents.graph)
      const symbols = readSymbols(texts('symbol'), graph)
      if (flag('graph')) {
        const text = dump(annotate(graph, infer(graph, { symbols })))
        terminal.print(text.trimEnd())
        return { file, graph: text }
      }
      const found = statistics(graph, { symbols })
      printModel(terminal, file, found)
      return { file, ...found }
    })
  },
})

const right = (title: string): Column => ({ title, align: 'right' })

function printModel(terminal: Terminal, file: string, found: ModelStatistics): void {
  const { origin } = found
  const opsets = [...found.opsets].map(
    ([domain, version]) => `${domain === '' ? 'opset' : domain} ${version}`,
  )
  const maker = [origin.producer, origin.producerVersion].filter(Boolean).join(' ')
  terminal.print(terminal.style('bold', file))
  terminal.print(
    [`ONNX IR ${origin.irVersion ?? '?'}`, ...opsets, ...(maker ? [`made by ${maker}`] : [])].join(', '),
  )
  terminal.print()
  const value = ({ name, type }: Value, side: string): string[] => [
    side,
    name,
    type ? describeType(type) : 'unknown',
  ]
  const rows = [...found.inputs.map(v => value(v, 'input')), ...found.outputs.map(v => value(v, 'output'))]
  for (const line of table([{ title: '' }, { title: '' }, { title: '' }], rows).slice(1)) terminal.print(line)
  terminal.print()
  const totals = [
    `${count(found.nodes)} nodes`,
    `${count(found.values)} values`,
    `${count(found.parameters)} parameters`,
    `${bytes(found.bytes)} of constants`,
    `${amount(found.macs)} MACs`,
  ]
  terminal.print(totals.join(', '))
  terminal.print(
    found.sparsity.zeros === 0
      ? 'no zeros among the weights'
      : `${percent(found.sparsity.fraction)} of the ${count(found.sparsity.elements)} weights are zero`,
  )
  terminal.print()
  for (const line of table(
    [{ title: 'operator' }, right('nodes'), right('MACs')],
    found.operators.map(({ op, nodes, macs }) => [op, count(nodes), macs === 0 ? '-' : amount(macs)]),
  ))
    terminal.print(line)
  printLayers(terminal, found)
  if (found.missing.length > 0) {
    terminal.print()
    terminal.warn(`${found.missing.length} operators of this model cannot run:`)
    for (const { op, reason, nodes } of found.missing)
      terminal.note(
        `  ${op}: ${reason}; used by ${nodes.slice(0, 5).join(', ')}${nodes.length > 5 ? ', ...' : ''}`,
      )
  }
}

function printLayers(terminal: Terminal, { layers }: ModelStatistics): void {
  if (layers.length === 0) return
  const rows = layers.flatMap(({ node, op, macs, weights }) =>
    weights.map(({ dtype, shape, bytes: size, sparsity }, index) => [
      index === 0 ? shorten(node, 36) : '',
      index === 0 ? op : '',
      formatShape(shape),
      dtype,
      bytes(size),
      index === 0 ? amount(macs) : '',
      percent(sparsity.fraction),
      percent(sparsity.zeroBlocks4),
      sparsity.pattern ?? '-',
    ]),
  )
  terminal.print()
  const columns = [
    { title: 'layer' },
    { title: 'operator' },
    { title: 'weight' },
    { title: 'type' },
    right('bytes'),
    right('MACs'),
    right('zeros'),
    right('4-blocks'),
    right('N:M'),
  ]
  for (const line of table(columns, rows)) terminal.print(line)
}

function printTensors(
  terminal: Terminal,
  file: string,
  { metadata }: NamedTensors,
  tensors: readonly TensorStatistics[],
): void {
  const total = (f: (tensor: TensorStatistics) => number): number => tensors.reduce((sum, t) => sum + f(t), 0)
  terminal.print(terminal.style('bold', file))
  terminal.print(
    `${count(tensors.length)} tensors, ${count(total(t => t.elements))} elements, ${bytes(total(t => t.bytes))}`,
  )
  for (const [key, value] of metadata ?? []) terminal.print(`${key}: ${shorten(value, 100)}`)
  terminal.print()
  const rows = tensors.map(({ name, dtype, shape, elements, bytes: size, zeros }) => [
    shorten(name, 60),
    dtype,
    formatShape(shape),
    bytes(size),
    percent(elements === 0 ? 0 : zeros / elements),
  ])
  for (const line of table(
    [{ title: 'tensor' }, { title: 'type' }, { title: 'shape' }, right('bytes'), right('zeros')],
    rows,
  ))
    terminal.print(line)
}
