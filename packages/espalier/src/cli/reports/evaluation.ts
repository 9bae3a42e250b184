/** Figures of models side by side: accuracy or agreement, zeros, bytes and milliseconds, always together. */
import type { Evaluated } from '../../evaluate/evaluate.ts'
import { bytes, milliseconds, percent, plural, table } from '../text.ts'

export interface EvaluationRow extends Evaluated {
  /** What the row is called. */
  readonly title: string
}

/** Lines for a terminal; shares and speeds are against the first of `rows`, which is the model compared with. */
export function evaluationTable(rows: readonly EvaluationRow[], width: number): string[] {
  const [first] = rows as readonly [EvaluationRow]
  const several = rows.length > 1
  const labelled = first.accuracy !== undefined
  const five = rows.some(({ accuracy }) => accuracy?.top5 !== undefined)
  const classes = rows.some(({ agreement }) => agreement?.top1 !== undefined)
  const right = { align: 'right' } as const
  const columns = [
    { wanted: true, column: { title: '', shrinkTo: 12 }, cell: (row: EvaluationRow) => row.title },
    {
      wanted: true,
      column: { title: 'zeros', ...right },
      cell: (row: EvaluationRow) => percent(zerosOf(row)),
    },
    {
      wanted: true,
      column: { title: 'stored', ...right },
      cell: (row: EvaluationRow) => bytes(row.storedBytes),
    },
    {
      wanted: several,
      column: { title: 'share', ...right, drop: 2 },
      cell: (row: EvaluationRow) => percent(row.storedBytes / first.storedBytes),
    },
    {
      wanted: true,
      column: { title: 'ms a run', ...right },
      cell: (row: EvaluationRow) => milliseconds(row.milliseconds.median),
    },
    {
      wanted: several,
      column: { title: 'speed', ...right, drop: 1 },
      cell: (row: EvaluationRow) => `${(first.milliseconds.median / row.milliseconds.median).toFixed(2)}x`,
    },
    {
      wanted: labelled,
      column: { title: 'top-1', ...right },
      cell: ({ accuracy }: EvaluationRow) => share(accuracy?.top1),
    },
    {
      wanted: five,
      column: { title: 'top-5', ...right, drop: 3 },
      cell: ({ accuracy }: EvaluationRow) => share(accuracy?.top5),
    },
    {
      wanted: classes,
      column: { title: 'same class', ...right, drop: 3 },
      cell: ({ agreement }: EvaluationRow) => share(agreement?.top1),
    },
    { wanted: several, column: { title: 'error', ...right }, cell: errorText },
  ].filter(({ wanted }) => wanted)
  return table(
    columns.map(({ column }) => column),
    rows.map(row => columns.map(({ cell }) => cell(row))),
    width,
  )
}

/** `10,000 rows, 32 in a run`. */
export function rowsText({ rows, batch }: { readonly rows: number; readonly batch: number }): string {
  return `${plural(rows, 'row')}, ${batch} in a run`
}

function zerosOf({ sparsity }: Evaluated): number {
  return sparsity.elements === 0 ? 0 : sparsity.fraction
}

function share(value: number | undefined): string {
  return value === undefined ? '' : Number.isNaN(value) ? '-' : `${(100 * value).toFixed(2)} %`
}

/** The largest relative error of an output. */
function errorText({ agreement }: Evaluated): string {
  const errors = Object.values(agreement?.relativeError ?? {})
  if (errors.length === 0) return ''
  const worst = Math.max(...errors)
  return worst === 0 ? '0' : worst < 0.0095 ? worst.toExponential(0) : worst.toFixed(2)
}
