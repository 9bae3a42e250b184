/** What `espalier inspect` prints of a file of tensors. */
import type { DTypeStatistics, TensorStatistics } from '../../analysis/tensors.ts'
import type { TensorsReport } from '../../inspect.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Terminal } from '../terminal.ts'
import { bytes, count, facts, percent, plural, shorten, table } from '../text.ts'
import { largest, total } from './rows.ts'

/** Longest text beside the tensors that is shown. */
const LONGEST_REMARK = 100

export function printTensors(terminal: Terminal, found: TensorsReport, all: boolean): void {
  const { tensors, dtypes, metadata } = found
  terminal.print(titleOf(terminal, found))
  const rows: [string, string | string[]][] = [
    [
      'tensors',
      `${count(tensors.length)} of ${plural(
        total(tensors, t => t.elements),
        'element',
      )}, ${bytes(total(tensors, t => t.bytes))}${describeTypes(dtypes)}`,
    ],
    ...[...metadata].map(([key, value]): [string, string] => [
      shorten(key, 30),
      shorten(value.replaceAll('\n', ' '), LONGEST_REMARK),
    ]),
  ]
  for (const line of facts(rows, terminal.width)) terminal.print(line)
  if (tensors.length === 0) return
  terminal.print()
  const { shown, rest } = largest(tensors, tensor => tensor.bytes, all)
  const lines = shown.map(row)
  if (rest.length > 0)
    lines.push([
      `and ${count(rest.length)} smaller (--all shows them)`,
      '',
      '',
      bytes(total(rest, t => t.bytes)),
      share(
        total(rest, t => t.zeros),
        total(rest, t => t.elements),
      ),
    ])
  const columns = [
    { title: 'tensor', shrinkTo: 20 },
    { title: 'type', drop: 1 },
    { title: 'shape', shrinkTo: 12 },
    { title: 'bytes', align: 'right' },
    { title: 'zeros', align: 'right' },
  ] as const
  for (const line of table(columns, lines, terminal.width)) terminal.print(line)
}

/** Name, format and size of a file, for the first line. */
export function titleOf(
  terminal: Terminal,
  { file, format, fileBytes }: Pick<TensorsReport, 'file' | 'format' | 'fileBytes'>,
): string {
  return `${terminal.style('bold', file)}  ${format}, ${bytes(fileBytes)}`
}

/** `: float32`, or how much there is of each type. */
export function describeTypes(dtypes: readonly DTypeStatistics[]): string {
  const [only, ...others] = dtypes
  if (only === undefined) return ''
  if (others.length === 0) return `, ${only.dtype}`
  return `: ${dtypes.map(({ dtype, tensors, bytes: size }) => `${count(tensors)} ${dtype} ${bytes(size)}`).join(', ')}`
}

function row({ name, dtype, shape, elements, bytes: size, zeros }: TensorStatistics): string[] {
  return [name, dtype, formatShape(shape), bytes(size), share(zeros, elements)]
}

function share(zeros: number, elements: number): string {
  return percent(elements === 0 ? 0 : zeros / elements)
}
