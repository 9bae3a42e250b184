/** What `espalier compress` prints: for every layer, and in all, bytes before, bytes stored, and the entropy bound. */
import type { CompressedLayer, CompressionSizes } from '../../compress/compress.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Terminal } from '../terminal.ts'
import { bytes, count, percent, plural, table } from '../text.ts'
import { largest, total } from './rows.ts'

export interface PrintedCompression {
  readonly sizes: CompressionSizes
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
  readonly fileBytes: { readonly before: number; readonly after: number }
  readonly target: string
  /** Whether the file that was written holds the codes that the bytes are those of. */
  readonly compressed: boolean
}

export function printCompression(
  terminal: Terminal,
  { sizes, skipped, fileBytes, target, compressed }: PrintedCompression,
  all: boolean,
): void {
  const { shown, rest } = largest(sizes.layers, layer => layer.denseBytes, all)
  const lines = shown.map(row)
  if (rest.length > 0) lines.push(sumRow(`and ${count(rest.length)} smaller (--all shows them)`, rest))
  if (sizes.layers.length > 1) lines.push(sumRow('all of these', sizes.layers))
  lines.push([
    'the whole model',
    '',
    '',
    '',
    '',
    bytes(sizes.denseBytes),
    bytes(sizes.storedBytes),
    share(sizes.storedBytes, sizes.denseBytes),
    bytes(Math.ceil(sizes.boundBytes)),
  ])
  const columns = [
    { title: 'weight', shrinkTo: 20 },
    { title: 'shape', shrinkTo: 12, drop: 2 },
    { title: 'pattern', drop: 1 },
    { title: 'zeros', align: 'right' },
    { title: 'code', drop: 3 },
    { title: 'dense', align: 'right' },
    { title: 'stored', align: 'right' },
    { title: 'share', align: 'right' },
    { title: 'bound', align: 'right', drop: 4 },
  ] as const
  for (const line of table(columns, lines, terminal.width)) terminal.print(line)
  terminal.print()
  terminal.print(
    `file: ${bytes(fileBytes.before)} before, ${bytes(fileBytes.after)} now (${share(fileBytes.after, fileBytes.before)})`,
  )
  if (!compressed)
    terminal.note(
      `note: ${target} holds the weights as ONNX does; an espalier file of ${bytes(sizes.espalierBytes)} holds them as shown`,
    )
  if (skipped.length > 0) printSkipped(terminal, skipped)
}

function printSkipped(terminal: Terminal, skipped: PrintedCompression['skipped']): void {
  const byReason = new Map<string, string[]>()
  for (const { name, reason } of skipped) byReason.set(reason, [...(byReason.get(reason) ?? []), name])
  for (const [reason, names] of byReason)
    terminal.note(
      `note: ${plural(names.length, 'weight')} left as before: ${reason} (${names.slice(0, 3).join(', ')}${names.length > 3 ? ', ...' : ''})`,
    )
}

function row(layer: CompressedLayer): string[] {
  return [
    layer.name,
    formatShape(layer.shape),
    layer.pattern ?? '',
    percent(layer.elements === 0 ? 0 : layer.zeros / layer.elements),
    `${layer.codec} ${layer.dtype}`,
    bytes(layer.denseBytes),
    bytes(layer.storedBytes),
    share(layer.storedBytes, layer.denseBytes),
    bytes(Math.ceil(layer.boundBytes)),
  ]
}

function sumRow(title: string, layers: readonly CompressedLayer[]): string[] {
  const elements = total(layers, layer => layer.elements)
  const [dense, stored] = [
    total(layers, layer => layer.denseBytes),
    total(layers, layer => layer.storedBytes),
  ]
  return [
    title,
    '',
    '',
    percent(elements === 0 ? 0 : total(layers, layer => layer.zeros) / elements),
    '',
    bytes(dense),
    bytes(stored),
    share(stored, dense),
    bytes(Math.ceil(total(layers, layer => layer.boundBytes))),
  ]
}

/** A share of bytes, which may be more than all of them. */
function share(part: number, whole: number): string {
  return whole === 0 ? '' : percent(part / whole)
}
