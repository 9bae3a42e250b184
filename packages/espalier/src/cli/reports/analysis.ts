/** What `espalier analyze` prints: layers as they are, then under every imposition, then break-evens. A row is a shape. */
import type { Analysis, AnalyzedLayer, ImposedTotal } from '../../compress/analyze/analyze.ts'
import type { BreakEven } from '../../compress/analyze/break-even.ts'
import { formatShape } from '../../tensor/shape.ts'
import { amount, bytes, count, milliseconds, percent, plural, table } from '../text.ts'
import { largest, total } from './rows.ts'

export interface AnalysisView {
  /** Every shape, and not only those that take longest. */
  readonly all: boolean
  readonly width: number
}

/** Layers that were timed as one. */
interface Row {
  readonly first: AnalyzedLayer
  readonly layers: readonly AnalyzedLayer[]
}

/** Lines for a terminal. */
export function describeAnalysis(analysis: Analysis, { all, width }: AnalysisView): string[] {
  const rows = rowsOf(analysis.layers)
  const { now } = analysis
  return [
    `one run ${milliseconds(analysis.milliseconds)} ms; ` +
      `${plural(analysis.layers.length, 'layer')} with weights, of ${plural(rows.length, 'shape')}, ` +
      `${milliseconds(now.milliseconds)} ms and ${bytes(now.bytes)} together`,
    '',
    ...nowTable(rows, analysis, all, width),
    ...analysis.imposed.flatMap((imposed, index) => [
      '',
      `With ${imposed.name}:`,
      ...imposedTable(rows, analysis, imposed, index, { all, width }),
    ]),
    ...(analysis.breakEven === undefined ? [] : ['', ...breakEvenTable(analysis.breakEven, all, width)]),
  ]
}

/** Layers in the order of the first of each shape. */
function rowsOf(layers: readonly AnalyzedLayer[]): Row[] {
  const byTime = new Map<object, AnalyzedLayer[]>()
  for (const layer of layers) byTime.set(layer.now, [...(byTime.get(layer.now) ?? []), layer])
  return [...byTime.values()].map(group => ({ first: group[0]!, layers: group }))
}

/** How a row begins: its layers, and what one of them is. */
const nameColumns = [
  { title: 'layer', shrinkTo: 16 },
  { title: 'layers', align: 'right' },
  { title: 'weight', shrinkTo: 12 },
] as const
const kernelColumn = { title: 'kernels', shrinkTo: 12, drop: 2 } as const

function nameCells({ first, layers }: Row): string[] {
  return [first.node, count(layers.length), formatShape(first.shape)]
}

function nowTable(
  rows: readonly Row[],
  { layers, now }: Pick<Analysis, 'layers' | 'now'>,
  all: boolean,
  width: number,
): string[] {
  const timeOf = (row: Row): number => row.layers.length * row.first.now.milliseconds
  const { shown, rest } = largest(rows, timeOf, all)
  const lines = shown.map(row => [
    ...nameCells(row),
    row.first.op,
    row.first.form,
    amount(row.first.macs ?? null),
    percent(row.first.sparsity),
    bytes(row.first.bytes),
    milliseconds(row.first.now.milliseconds),
    percent(timeOf(row) / Math.max(now.milliseconds, Number.MIN_VALUE)),
    kernelsText(row.first.now.kernels),
  ])
  if (rest.length > 0) {
    const own = rest.flatMap(row => row.layers)
    lines.push([
      `${plural(rest.length, 'quicker shape')}`,
      count(own.length),
      ...['', '', '', '', '', ''],
      milliseconds(total(rest, timeOf)),
      percent(total(rest, timeOf) / now.milliseconds),
      '',
    ])
  }
  lines.push([
    'all of these',
    count(layers.length),
    ...['', '', '', '', ''],
    bytes(now.bytes),
    milliseconds(now.milliseconds),
    '100.0 %',
    '',
  ])
  return table(
    [
      ...nameColumns,
      { title: 'operator', drop: 3 },
      { title: 'computed in' },
      { title: 'MACs', align: 'right', drop: 1 },
      { title: 'zeros', align: 'right' },
      { title: 'bytes', align: 'right' },
      { title: 'ms each', align: 'right' },
      { title: 'share', align: 'right' },
      kernelColumn,
    ],
    lines,
    width,
  )
}

function imposedTable(
  rows: readonly Row[],
  { milliseconds: whole, now }: Analysis,
  imposed: ImposedTotal,
  index: number,
  { all, width }: AnalysisView,
): string[] {
  const changed = rows.filter(({ first }) => first.imposed[index] !== null)
  const { shown } = largest(changed, ({ first, layers }) => layers.length * first.now.milliseconds, all)
  const lines = shown.map(row => {
    const own = row.first.imposed[index]!
    return [
      ...nameCells(row),
      own.form,
      percent(own.sparsity),
      bytes(own.bytes),
      milliseconds(own.milliseconds),
      gain(row.first.now.milliseconds, own.milliseconds),
      kernelsText(own.kernels),
    ]
  })
  const { layers } = imposed
  const sumRow = (name: string, size: string, before: number, after: number): string[] => [
    ...[name, '', '', '', '', size],
    milliseconds(after),
    gain(before, after),
    '',
  ]
  lines.push(sumRow('all layers', bytes(layers.bytes), now.milliseconds, layers.milliseconds))
  lines.push(sumRow('one run, estimated', '', whole, imposed.milliseconds))
  return table(
    [
      ...nameColumns,
      { title: 'computed in' },
      { title: 'zeros', align: 'right' },
      { title: 'bytes', align: 'right' },
      { title: 'ms', align: 'right' },
      { title: 'gain', align: 'right' },
      kernelColumn,
    ],
    lines,
    width,
  )
}

function breakEvenTable(found: readonly BreakEven[], all: boolean, width: number): string[] {
  const { shown, rest } = largest(found, ({ dense, layers }) => dense * layers.length, all)
  const sparsities =
    found.find(({ points }) => points.length > 0)?.points.map(({ sparsity }) => sparsity) ?? []
  const lines = shown.map(({ layers, shape, form, pattern, dense, points, sparsity }) => [
    layers[0]!,
    count(layers.length),
    formatShape(shape),
    form,
    pattern,
    milliseconds(dense),
    ...sparsities.map((_, index) => (points[index] ? milliseconds(points[index].milliseconds) : '')),
    breakEvenText(points, sparsity),
  ])
  return [
    'Milliseconds of the dense kernel, of the sparse one by share of zeros, and from where on sparse is quicker:',
    ...table(
      [
        ...nameColumns,
        { title: 'computed in' },
        { title: 'pattern' },
        { title: 'dense', align: 'right' },
        ...sparsities.map(sparsity => ({ title: `${sparsity}`, align: 'right' as const, drop: 1 })),
        { title: 'quicker from', align: 'right' },
      ],
      lines,
      width,
    ),
    ...(rest.length > 0 ? [`and ${plural(rest.length, 'quicker row')} (--all shows them)`] : []),
  ]
}

function breakEvenText(points: BreakEven['points'], sparsity: number | null): string {
  if (points.length === 0) return 'no sparse kernel'
  if (sparsity === null) return 'nowhere'
  return sparsity <= points[0]!.sparsity ? `below ${sparsity}` : sparsity.toFixed(2)
}

/** How many times less time: `3.10x`. */
function gain(before: number, after: number): string {
  return after > 0 ? `${(before / after).toFixed(2)}x` : ''
}

function kernelsText(kernels: readonly string[]): string {
  return [...new Set(kernels)].join(', ')
}
