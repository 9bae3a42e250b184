/** What `espalier inspect` prints of a model. */
import type { LayerStatistics, ModelStatistics, WeightStatistics } from '../../analysis/statistics.ts'
import { describeType } from '../../graph/describe.ts'
import { addDims, substituteDim } from '../../graph/dim.ts'
import type { Dim, Value } from '../../graph/graph.ts'
import type { ModelReport } from '../../inspect.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Terminal } from '../terminal.ts'
import { amount, bytes, type Column, count, facts, percent, plural, shorten, table, wrap } from '../text.ts'
import { largest, total } from './rows.ts'
import { describeTypes, titleOf } from './tensors.ts'

/** Longest remark, and longest expression for an extent or a cost, that is shown. */
const LONGEST = 100
/** Remarks, problems and nodes of a kind that are shown. */
const MOST = 5

export function printModel(
  terminal: Terminal,
  found: ModelReport,
  symbols: ReadonlyMap<string, number>,
  all: boolean,
): void {
  const ones = new Map(found.batchSymbols.filter(name => !symbols.has(name)).map(name => [name, 1]))
  const cost = (macs: Dim): string => shorten(amount(substituteDim(macs, ones)), LONGEST)
  terminal.print(titleOf(terminal, found))
  for (const line of facts(overview(found, cost, ones), terminal.width)) terminal.print(line)
  printLayers(terminal, found, cost, ones, all)
  printTroubles(terminal, found)
  terminal.print()
  for (const line of wrap(
    'Counted from the file: nothing was run, and no time was measured.',
    terminal.width,
  ))
    terminal.print(terminal.style('dim', line))
}

type Cost = (macs: Dim) => string

function overview(
  found: ModelReport,
  cost: Cost,
  ones: ReadonlyMap<string, number>,
): [string, string | string[]][] {
  const { origin, opsets } = found
  const sets = [...opsets].map(([domain, version]) => `${domain === '' ? 'ai.onnx' : domain} ${version}`)
  const maker = [origin.producer, origin.producerVersion].filter(Boolean).join(' ')
  const description = origin.doc ?? ''
  const remarks = [...(origin.metadata ?? [])]
  return [
    ['graph', found.name],
    ['made by', maker],
    ['about', shorten(description.replaceAll(/\s+/g, ' ').trim(), 2 * LONGEST)],
    ...remarks
      .slice(0, MOST)
      .map(([key, value]): [string, string] => [
        shorten(key, 20),
        shorten(value.replaceAll('\n', ' '), LONGEST),
      ]),
    ['remarks', remarks.length > MOST ? `${remarks.length - MOST} more (--json has them)` : ''],
    ['versions', `ONNX IR ${origin.irVersion ?? '?'}, ${sets.join(', ')}`],
    ['inputs', found.inputs.map(describe)],
    ['outputs', found.outputs.map(describe)],
    [
      'nodes',
      `${count(found.nodes)}: ${found.operators.map(({ op, nodes }) => `${count(nodes)} ${op}`).join(', ')}`,
    ],
    [
      'parameters',
      `${count(found.parameters)} in ${plural(
        total(found.dtypes, t => t.tensors),
        'constant',
      )}, ${bytes(found.bytes)}${describeTypes(found.dtypes)}`,
    ],
    ['MACs', costs(found, cost, ones)],
    ['zeros', zerosAndBytes(found)],
  ]
}

function describe({ name, type }: Value): string {
  if (type === undefined) return `${name}, type unknown`
  const symbolic = type.kind === 'tensor' && type.shape?.some(dim => typeof dim === 'string')
  // `batchx3` would read as one word.
  return `${name}, ${symbolic ? `${type.dtype} ${type.shape!.map(dim => dim ?? '?').join(' x ')}` : describeType(type)}`
}

/** The cost of a run, and which operators it is in. */
function costs(found: ModelStatistics, cost: Cost, ones: ReadonlyMap<string, number>): string {
  const size = (macs: Dim): number => {
    const value = substituteDim(macs, ones)
    return typeof value === 'number' ? value : Number.POSITIVE_INFINITY
  }
  const busy = found.operators
    .filter(({ macs }) => macs !== 0)
    .sort((a, b) => (size(b.macs) > size(a.macs) ? 1 : size(b.macs) < size(a.macs) ? -1 : 0))
  const known = busy.filter(({ macs }) => macs !== null).map(({ op, macs }) => `${op} ${cost(macs)}`)
  if (found.macs === null) {
    const unknown = busy.filter(({ macs }) => macs === null).map(({ op }) => op)
    return [`unknown for ${unknown.join(', ')}`, ...known].join('; ')
  }
  const all = `${cost(found.macs)}${assumption(ones)}`
  return busy.length === 1 ? `${all}, ${busy[0]!.op}` : [all, known.join(', ')].filter(Boolean).join(': ')
}

function assumption(ones: ReadonlyMap<string, number>): string {
  return ones.size === 0 ? '' : ` for ${[...ones.keys()].map(name => `${name}=1`).join(', ')}`
}

/** Zeros among the weights, never without their bytes. */
function zerosAndBytes({ sparsity }: ModelStatistics): string {
  const { elements, zeros, fraction, bytes: stored, denseBytes } = sparsity
  if (elements === 0) return ''
  if (zeros === 0) return `none among ${plural(elements, 'layer weight')} of ${bytes(stored)}`
  const size =
    stored === denseBytes
      ? `stored in ${bytes(stored)}, as many bytes as without zeros`
      : `stored in ${bytes(stored)}, ${bytes(denseBytes)} when dense`
  return `${percent(fraction)} of ${plural(elements, 'layer weight')}; ${size}`
}

function printLayers(
  terminal: Terminal,
  { layers }: ModelReport,
  cost: Cost,
  ones: ReadonlyMap<string, number>,
  all: boolean,
): void {
  if (layers.length === 0) return
  const { shown, rest } = largest(layers, weightBytes, all)
  const sparse = layers.some(({ weights }) => weights.some(({ sparsity }) => sparsity.zeros > 0))
  const rows = shown.flatMap(layer =>
    layer.weights.map((weight, index) => [
      ...(index === 0 ? [layer.node, layer.op] : ['', '']),
      ...weightCells(weight),
      index === 0 ? cost(layer.macs) : '',
      ...(sparse ? sparsityCells(weight) : []),
    ]),
  )
  if (rest.length > 0)
    rows.push([
      `and ${count(rest.length)} smaller (--all shows them)`,
      '',
      '',
      '',
      bytes(total(rest, weightBytes)),
      cost(rest.reduce<Dim>((sum, { macs }) => addDims(sum, macs), 0)),
      ...(sparse ? ['', '', ''] : []),
    ])
  const columns: Column[] = [
    { title: 'layer', shrinkTo: 16 },
    { title: 'operator', drop: 1 },
    { title: 'weight', shrinkTo: 10 },
    { title: 'type', drop: 2 },
    { title: 'bytes', align: 'right' },
    { title: `MACs${assumption(ones)}`, align: 'right', shrinkTo: 8 },
    ...(sparse
      ? ([
          { title: 'zeros', align: 'right' },
          { title: '4-blocks', align: 'right', drop: 4 },
          { title: 'N:M', align: 'right', drop: 3 },
        ] as const)
      : []),
  ]
  terminal.print()
  for (const line of table(columns, rows, terminal.width)) terminal.print(line)
}

function weightBytes({ weights }: LayerStatistics): number {
  return total(weights, weight => weight.bytes)
}

function weightCells({ dtype, shape, bytes: size }: WeightStatistics): string[] {
  return [formatShape(shape), dtype, bytes(size)]
}

function sparsityCells({ sparsity }: WeightStatistics): string[] {
  return [percent(sparsity.fraction), percent(sparsity.zeroBlocks4), sparsity.pattern ?? '-']
}

/** What keeps the model from running. */
function printTroubles(terminal: Terminal, { problems, missing }: ModelReport): void {
  const lines: string[] = []
  if (problems.length > 0) {
    lines.push(terminal.style('red', `This model breaks ${plural(problems.length, 'rule')} and cannot run:`))
    for (const { message, node, tensor } of problems.slice(0, MOST)) {
      const place = [...(node ? [`node ${node}`] : []), ...(tensor ? [`tensor "${tensor}"`] : [])].join(', ')
      lines.push(`  ${message.startsWith(place) || place === '' ? '' : `${place}: `}${message}`)
    }
    if (problems.length > MOST) lines.push(`  and ${count(problems.length - MOST)} more (--json has them)`)
  }
  if (missing.length > 0) {
    lines.push(
      terminal.style('yellow', `${plural(missing.length, 'operator')} of this model cannot run here:`),
    )
    for (const { op, reason, nodes: described } of missing) {
      const nodes = described.map(node => node.replace(` (${op})`, ''))
      const more = nodes.length > MOST ? ` and ${count(nodes.length - MOST)} more` : ''
      lines.push(`  ${op}: ${reason}; used by ${nodes.slice(0, MOST).join(', ')}${more}`)
    }
  }
  if (lines.length === 0) return
  terminal.print()
  for (const line of lines.flatMap(text => wrap(text, terminal.width))) terminal.print(line)
}
