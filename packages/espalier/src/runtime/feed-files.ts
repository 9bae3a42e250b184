/**
 * Feeding a model from files: arrays, archives of arrays, pictures. What has to be adapted to fit an input (data type,
 * rows taken, axes of extent 1) is adapted only where that is safe, and always said.
 */
import { EspalierError, locate, locateAsync } from '../errors.ts'
import {
  type ImageOptions,
  imageExtensions,
  type Normalization,
  normalizeBytes,
  readImage,
} from '../formats/image.ts'
import { type FileContents, readFile } from '../formats/index.ts'
import { describeType } from '../graph/describe.ts'
import { substituteDim } from '../graph/dim.ts'
import type { Dim, Graph, TensorType, Value } from '../graph/graph.ts'
import { inputShape } from '../graph/inputs.ts'
import { type DType, isFloat, isInteger } from '../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers } from '../tensor/elements.ts'
import { formatShape, sizeOf } from '../tensor/shape.ts'
import { type RuntimeValue, reshape, type Tensor, tensorBytes, tensorFromBytes } from '../tensor/tensor.ts'
import { requiredInputs } from './feeds.ts'

/** A file that feeds a model. */
export interface FeedFile {
  readonly file: string
  /**
   * The input that it feeds. When left out: every input whose name is that of an array in the file, or the only input
   * that the model has.
   */
  readonly input?: string
  /** The array of the file to take. When left out: the only one, or the one with the input's name. */
  readonly array?: string
}

export interface FeedFileOptions {
  /** Values of symbolic dimensions, for the size of pictures. */
  readonly symbols?: ReadonlyMap<string, number>
  /**
   * How bytes become numbers. Pictures always do; uint8 arrays for float inputs when something is stated here, and
   * otherwise keep their values from 0 to 255.
   */
  readonly normalization?: Normalization
  /** Rows of arrays to take, `from` and up to but not including `to`: a batch of a data set. */
  readonly rows?: { readonly from: number; readonly to: number }
  /** Called with a sentence about everything that was adapted. */
  readonly onNote?: (note: string) => void
  /** Reads a file of arrays; `readFile` when left out. For callers who have read some of the files. */
  readonly read?: (file: string) => Promise<FileContents>
}

/**
 * Values for inputs of `graph`. A tensor input takes one array, a sequence all arrays of its file. Throws
 * `unknown-input`, `bad-argument` when it is not clear which array or which input is meant, `bad-dtype` and
 * `bad-shape` where an array does not fit, and what the readers throw.
 */
export async function readFeeds(
  graph: Graph,
  files: readonly FeedFile[],
  options: FeedFileOptions = {},
): Promise<Map<string, RuntimeValue>> {
  const feeds = new Map<string, RuntimeValue>()
  for (const file of files)
    for (const [name, value] of await locateAsync({ file: file.file }, () => readOne(graph, file, options))) {
      if (feeds.has(name))
        throw new EspalierError('bad-argument', 'two files feed this input', { where: { tensor: name } })
      feeds.set(name, value)
    }
  return feeds
}

async function readOne(
  graph: Graph,
  feed: FeedFile,
  options: FeedFileOptions,
): Promise<[string, RuntimeValue][]> {
  const inputs = requiredInputs(graph)
  const named = feed.input === undefined ? undefined : findInput(graph, feed.input)
  const only = named ?? (inputs.length === 1 ? inputs[0] : undefined)
  const extension = feed.file.slice(feed.file.lastIndexOf('.') + 1).toLowerCase()
  if (imageExtensions.includes(extension)) {
    const target = only ?? unclear(inputs)
    return [[target.name, await readImage(feed.file, pictureOptions(target, options))]]
  }
  const contents = await (options.read ?? readFile)(feed.file)
  if (contents.kind === 'graph')
    throw new EspalierError('bad-argument', 'the file holds a model, and no values for an input')
  const { tensors } = contents
  if (named === undefined && feed.array === undefined) {
    const matching = graph.inputs.filter(({ name }) => tensors.has(name))
    if (matching.length > 0)
      return matching.map(input => [input.name, adapt(tensors.get(input.name)!, input, options)])
  }
  const target = only ?? unclear(inputs)
  if (target.type?.kind === 'sequence') return [[target.name, [...tensors.values()]]]
  return [[target.name, adapt(chooseArray(tensors, feed.array, target.name), target, options)]]
}

function findInput(graph: Graph, name: string): Value {
  const found = graph.inputs.find(input => input.name === name)
  if (found !== undefined) return found
  throw new EspalierError('unknown-input', `the model has no input "${name}"`, {
    expected: graph.inputs.map(input => input.name).join(', '),
  })
}

function unclear(inputs: readonly Value[]): never {
  throw new EspalierError('bad-argument', 'it is not said which input this file is for', {
    expected: inputs.map(({ name }) => name).join(' or ') || 'a model with inputs',
  })
}

function chooseArray(
  tensors: ReadonlyMap<string, Tensor>,
  wanted: string | undefined,
  input: string,
): Tensor {
  const [first] = tensors.values()
  const found = wanted === undefined && tensors.size === 1 && first ? first : tensors.get(wanted ?? input)
  if (found !== undefined) return found
  throw new EspalierError(
    'bad-argument',
    wanted === undefined
      ? `the file holds several arrays, and none has the name of the input, "${input}"`
      : `the file holds no array "${wanted}"`,
    { expected: [...tensors.keys()].slice(0, 20).join(', ') || 'arrays, and there are none' },
  )
}

/** An array made to fit an input: rows, then axes of extent 1, then data type. Where it still does not fit, running says so. */
function adapt(array: Tensor, input: Value, options: FeedFileOptions): Tensor {
  const type = input.type?.kind === 'optional' ? input.type.element : input.type
  return locate({ tensor: input.name }, () => {
    const rows = options.rows === undefined ? array : takeRows(array, options.rows)
    if (type?.kind !== 'tensor') return rows
    return matchType(matchRank(rows, input, type, options), input, type, options)
  })
}

/** Rows [from, to) of the outermost axis. */
function takeRows(array: Tensor, { from, to }: { readonly from: number; readonly to: number }): Tensor {
  const [count, ...rest] = array.shape
  if (count === undefined || from < 0 || to > count || from >= to)
    throw new EspalierError('bad-argument', 'the array does not have these rows', {
      expected: `rows within 0 to ${count ?? 0}`,
      got: `${from} to ${to}`,
    })
  const shape = [to - from, ...rest]
  const row = sizeOf(rest)
  if (array.dtype === 'string')
    return { dtype: 'string', shape, data: array.data.slice(from * row, to * row) }
  const bytes = tensorBytes(array)
  const width = bytes.length / Math.max(1, count * row)
  if (!Number.isInteger(row * width))
    throw new EspalierError('unsupported', `rows of ${array.dtype} do not begin at whole bytes`)
  return tensorFromBytes(array.dtype, shape, bytes.subarray(from * row * width, to * row * width))
}

/** The array with axes of extent 1 put in or left out, where there is one way to make it fit so. */
function matchRank(array: Tensor, { name }: Value, type: TensorType, { onNote }: FeedFileOptions): Tensor {
  const wanted = type.shape
  if (wanted === undefined || wanted.length === array.shape.length || wanted.length > MOST_AXES) return array
  const extents = array.shape.filter(extent => extent !== 1)
  const [shape, ...others] = placements(extents, wanted)
  if (shape === undefined || others.length > 0) return array
  onNote?.(
    `input "${name}": the array of shape ${formatShape(array.shape)} is taken as ${formatShape(shape)}`,
  )
  return reshape(array, shape)
}

/** Most axes of an input for which ways to fit are searched: there can be 2^axes of them. */
const MOST_AXES = 8

/** The ways to give `extents`, in order, to the axes `wanted`, of which the others have extent 1. */
function placements(extents: readonly number[], wanted: readonly Dim[]): number[][] {
  const [dim, ...rest] = wanted
  if (dim === undefined) return extents.length === 0 ? [[]] : []
  const [next, ...later] = extents
  const found: number[][] = []
  if (next !== undefined && (typeof dim !== 'number' || dim === next))
    for (const shape of placements(later, rest)) found.push([next, ...shape])
  if (typeof dim !== 'number' || dim === 1)
    for (const shape of placements(extents, rest)) found.push([1, ...shape])
  return found
}

/** The array in the data type of the input; other floats and integers are converted. */
function matchType(
  array: Tensor,
  { name }: Value,
  { dtype }: TensorType,
  { normalization = {}, onNote }: FeedFileOptions,
): Tensor {
  if (dtype === array.dtype) return array
  if (array.dtype === 'uint8' && isFloat(dtype) && Object.keys(normalization).length > 0)
    return normalizeBytes(array.data, array.shape, channelAxis(array, normalization), dtype, normalization)
  const convertible =
    (isFloat(dtype) && (isFloat(array.dtype) || isInteger(array.dtype))) ||
    (isInteger(dtype) && isInteger(array.dtype))
  if (!convertible)
    throw new EspalierError('bad-dtype', 'the array has another data type than the input', {
      expected: dtype,
      got: array.dtype,
    })
  const bytes = array.dtype === 'uint8' && isFloat(dtype)
  onNote?.(
    `input "${name}": ${array.dtype} is converted to ${dtype}${bytes ? ', with values from 0 to 255' : ''}`,
  )
  return isFloat(dtype) ? fromNumbers(dtype, array.shape, numbers(array)) : exactIntegers(array, dtype)
}

/** Integers in another integer type. Throws `bad-dtype` where it cannot hold them. */
function exactIntegers(array: Tensor, dtype: DType): Tensor {
  const values = bigints(array)
  const result = fromBigInts(dtype, array.shape, values)
  const kept = bigints(result)
  const odd = values.find((value, index) => value !== kept[index])
  if (odd === undefined) return result
  throw new EspalierError('bad-dtype', 'the array holds integers that the data type of the input cannot', {
    expected: dtype,
    got: `${odd}`,
  })
}

/** Axis of the channels of a batch of pictures: the second or the last, whichever the lists fit. */
function channelAxis({ shape }: Tensor, { mean = [], std = [] }: Normalization): number {
  const channels = Math.max(mean.length, std.length, 1)
  return shape[1] !== channels && shape.at(-1) === channels ? shape.length - 1 : Math.min(1, shape.length)
}

/** Layout and size of a picture, read off the input's shape: 1 or 3 channels first or last. */
function pictureOptions(input: Value, { normalization, symbols = new Map() }: FeedFileOptions): ImageOptions {
  const shape = (inputShape(input) ?? []).map(dim => substituteDim(dim, symbols))
  const isChannels = (dim: Dim | undefined): dim is 1 | 3 => dim === 1 || dim === 3
  const first = shape.length === 4 && isChannels(shape[1])
  if (shape.length !== 4 || !(first || isChannels(shape[3])))
    throw new EspalierError('bad-shape', 'this input does not take a picture', {
      where: { tensor: input.name },
      expected: 'a shape such as 1x3xHxW or 1xHxWx3',
      got: input.type ? describeType(input.type) : 'an unknown type',
    })
  const [height, width] = first ? shape.slice(2) : shape.slice(1)
  return {
    channels: (first ? shape[1] : shape[3]) as 1 | 3,
    layout: first ? 'nchw' : 'nhwc',
    dtype: (input.type as TensorType).dtype,
    ...(typeof width === 'number' && { width }),
    ...(typeof height === 'number' && { height }),
    ...normalization,
  }
}
