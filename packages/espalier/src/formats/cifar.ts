/**
 * The binary version of CIFAR-10 and CIFAR-100 (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny
 * Images", 2009): records of one label byte (CIFAR-100: a coarse and a fine one) and a 32x32 image as three planes,
 * red, green, blue. Read plain or gzipped. The format has neither a header nor a name for itself: it is known by
 * the file's name, and checked by its length and its labels.
 */
import { EspalierError } from '../errors.ts'
import { allocate, type Tensor, tensor } from '../tensor/tensor.ts'
import type { Format } from './format.ts'
import { type Input, withSource } from './io/files.ts'
import { withUnpacked } from './io/gzip.ts'
import type { ByteSource } from './io/source.ts'

const IMAGE = 3 * 32 * 32
/** Largest unpacked size, in bytes: six times all of CIFAR together. A file says nothing that could limit it. */
const LIMIT = 2 ** 30

export interface Cifar {
  /** uint8 [N, 3, 32, 32], planes red, green, blue. */
  readonly images: Tensor<'uint8'>
  /** uint8 [N]: 0 to 9 in CIFAR-10; the fine label, 0 to 99, in CIFAR-100. */
  readonly labels: Tensor<'uint8'>
  /** uint8 [N], 0 to 19: the superclass. CIFAR-100 only. */
  readonly coarseLabels?: Tensor<'uint8'>
}

/** A kind of record: the number of classes of each of its label bytes, in file order. */
interface Layout {
  readonly name: string
  readonly classes: readonly number[]
}

const cifar10: Layout = { name: 'CIFAR-10', classes: [10] }
const cifar100: Layout = { name: 'CIFAR-100', classes: [20, 100] }

/**
 * Reads a CIFAR-10 or CIFAR-100 batch, gzipped or not. Which of the two follows from the file's length and, where
 * both fit, from the labels. Throws `unsupported-format` when the length fits neither, `malformed` when a label is
 * out of range, `truncated`, and `too-large` for more than 1 GiB.
 */
export function readCifar(input: Input): Promise<Cifar> {
  return withSource(input, readBatch)
}

export const cifar: Format = {
  name: 'cifar',
  title: 'CIFAR-10 or CIFAR-100 batch (binary version)',
  extensions: ['bin', 'bin.gz'],
  holds: 'tensors',
  /** Never: any bytes could be pixels. The file's name decides. */
  detect: () => false,
  async read(source) {
    const { images, labels, coarseLabels } = await readBatch(source)
    const tensors = new Map<string, Tensor>([['images', images]])
    tensors.set('labels', labels)
    if (coarseLabels !== undefined) tensors.set('coarse_labels', coarseLabels)
    return { kind: 'tensors', tensors }
  },
}

async function readBatch(source: ByteSource): Promise<Cifar> {
  const bytes = await withUnpacked(source, async stream => {
    if (stream.size > LIMIT)
      throw new EspalierError('too-large', 'too long for a CIFAR batch', {
        expected: `at most ${LIMIT} bytes`,
        got: `${stream.size}`,
      })
    if (layoutsFor(stream.size).length === 0) throw wrongLength(stream.size)
    const all = await stream.read(stream.size)
    await stream.end()
    return all
  })
  const layouts = layoutsFor(bytes.length)
  const layout = layouts.find(candidate => badLabel(bytes, candidate) === undefined) ?? layouts[0]!
  const bad = badLabel(bytes, layout)
  if (bad !== undefined)
    throw new EspalierError('malformed', `not a label of ${layout.name}`, {
      where: { offset: bad.offset },
      expected: `0 to ${bad.classes - 1}`,
      got: `${bytes[bad.offset]}`,
    })
  return split(bytes, layout)
}

const recordLength = (layout: Layout) => layout.classes.length + IMAGE

function layoutsFor(size: number): Layout[] {
  return size === 0 ? [] : [cifar10, cifar100].filter(layout => size % recordLength(layout) === 0)
}

/** The first label byte that is out of range. */
function badLabel(bytes: Uint8Array, layout: Layout): { offset: number; classes: number } | undefined {
  for (let start = 0; start < bytes.length; start += recordLength(layout)) {
    const wrong = layout.classes.findIndex((classes, index) => bytes[start + index]! >= classes)
    if (wrong >= 0) return { offset: start + wrong, classes: layout.classes[wrong]! }
  }
  return undefined
}

/** Takes records apart into planes of images and columns of labels. */
function split(bytes: Uint8Array, layout: Layout): Cifar {
  const length = recordLength(layout)
  const count = bytes.length / length
  const columns = layout.classes.map(() => allocate('uint8', count))
  const images = allocate('uint8', count * IMAGE)
  for (let i = 0; i < count; i++) {
    const record = bytes.subarray(i * length, (i + 1) * length)
    for (const [index, column] of columns.entries()) column[i] = record[index]!
    images.set(record.subarray(columns.length), i * IMAGE)
  }
  const [labels, coarse] = columns.reverse().map(column => tensor('uint8', [count], column))
  return {
    images: tensor('uint8', [count, 3, 32, 32], images),
    labels: labels!,
    ...(coarse !== undefined && { coarseLabels: coarse }),
  }
}

function wrongLength(size: number): EspalierError {
  if (size < recordLength(cifar10))
    return new EspalierError('truncated', 'too short for a CIFAR record', {
      expected: `at least ${recordLength(cifar10)} bytes`,
      got: `${size}`,
    })
  return new EspalierError('unsupported-format', 'not a CIFAR batch in the binary version', {
    expected: `a multiple of ${recordLength(cifar10)} (CIFAR-10) or ${recordLength(cifar100)} (CIFAR-100) bytes`,
    got: `${size} bytes`,
    hint: 'The Python version of CIFAR is pickled; take the binary version',
  })
}
