/** Feeding a model from the command line: arrays, archives, pictures, random numbers. */
import { EspalierError, locate } from '../errors.ts'
import { type ImageOptions, imageExtensions, readImage } from '../formats/image.ts'
import { readFile } from '../formats/index.ts'
import { describeType, describeValue } from '../graph/describe.ts'
import { substituteDim } from '../graph/dim.ts'
import type { Dim, Graph, TensorType, Value } from '../graph/graph.ts'
import { requiredInputs } from '../runtime/feeds.ts'
import { type DType, isFloat, isInteger } from '../tensor/dtype.ts'
import { fromNumbers, numbers } from '../tensor/elements.ts'
import { foldIn, integers, normal, randomKey } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Terminal } from './terminal.ts'

export interface FeedOptions {
  /** `NAME=FILE`, or `FILE` for an archive of named arrays or for the only input. */
  readonly files: readonly string[]
  /** Fill inputs that no file feeds with random numbers. */
  readonly random: boolean
  readonly seed: number
  readonly symbols: ReadonlyMap<string, number>
  /** How pictures become numbers. */
  readonly picture: Pick<ImageOptions, 'mean' | 'std' | 'scale'>
  readonly terminal: Terminal
}

/** Tensors for the inputs of a graph. Throws `usage`, `missing-input`, or what a reader throws. */
export async function readFeeds(graph: Graph, options: FeedOptions): Promise<Map<string, Tensor>> {
  const inputs = requiredInputs(graph)
  const feeds = new Map<string, Tensor>()
  for (const text of options.files) {
    for (const [name, tensor] of await readOne(text, graph, options)) {
      const input = graph.inputs.find(candidate => candidate.name === name)
      if (input === undefined)
        throw new EspalierError('unknown-input', `the model has no input "${name}"`, {
          where: { file: text },
          expected: graph.inputs.map(describeValue).join(', '),
        })
      feeds.set(name, matchType(name, tensor, input, options.terminal))
    }
  }
  const missing = inputs.filter(({ name }) => !feeds.has(name))
  if (missing.length > 0 && !options.random)
    throw new EspalierError('missing-input', `no value for ${missing.map(describeValue).join(', ')}`, {
      hint: 'Give --input NAME=FILE for each, or --random',
    })
  for (const [index, input] of missing.entries())
    feeds.set(input.name, randomTensor(input, options.symbols, foldIn(randomKey(options.seed), index)))
  return feeds
}

async function readOne(
  text: string,
  graph: Graph,
  options: FeedOptions,
): Promise<Iterable<[string, Tensor]>> {
  const named = graph.inputs.find(({ name }) => text.startsWith(`${name}=`))
  const file = named === undefined ? text : text.slice(named.name.length + 1)
  const inputs = requiredInputs(graph)
  const only = inputs.length === 1 ? inputs[0] : undefined
  const extension = file.slice(file.lastIndexOf('.') + 1).toLowerCase()
  if (imageExtensions.includes(extension)) {
    const target = named ?? only
    if (target === undefined) throw ambiguous(file, inputs)
    return [[target.name, await readImage(file, pictureOptions(target, options))]]
  }
  const contents = await readFile(file)
  if (contents.kind === 'graph')
    throw new EspalierError('usage', 'is a model, not an input', { where: { file } })
  const tensors = [...contents.tensors]
  if (named === undefined && tensors.some(([name]) => graph.inputs.some(input => input.name === name)))
    return tensors.filter(([name]) => graph.inputs.some(input => input.name === name))
  const target = named ?? only
  if (target === undefined) throw ambiguous(file, inputs)
  const chosen = tensors.length === 1 ? tensors[0] : tensors.find(([name]) => name === target.name)
  if (chosen === undefined)
    throw new EspalierError('usage', `holds several arrays and none is called "${target.name}"`, {
      where: { file },
      got: tensors.map(([name]) => name).join(', '),
    })
  return [[target.name, chosen[1]]]
}

function ambiguous(file: string, inputs: readonly Value[]): EspalierError {
  return new EspalierError('usage', 'which input is this file for?', {
    where: { file },
    expected: inputs.map(({ name }) => `${name}=${file}`).join(' or '),
  })
}

/** Layout and size of a picture, read off the input's shape: 1 or 3 channels first or last. */
function pictureOptions({ name, type }: Value, { picture, symbols }: FeedOptions): ImageOptions {
  const shape = type?.kind === 'tensor' ? type.shape?.map(dim => substituteDim(dim, symbols)) : undefined
  const isChannels = (dim: Dim | undefined): dim is 1 | 3 => dim === 1 || dim === 3
  const first = shape?.length === 4 && isChannels(shape[1])
  if (shape?.length !== 4 || !(first || isChannels(shape[3])))
    throw new EspalierError('usage', 'this input does not take a picture', {
      where: { tensor: name },
      expected: 'a shape such as 1x3xHxW or 1xHxWx3',
      got: type ? describeType(type) : 'an unknown type',
    })
  const [height, width] = first ? shape.slice(2) : shape.slice(1)
  return {
    channels: (first ? shape[1] : shape[3]) as 1 | 3,
    layout: first ? 'nchw' : 'nhwc',
    dtype: (type as TensorType).dtype,
    ...(typeof width === 'number' && { width }),
    ...(typeof height === 'number' && { height }),
    ...picture,
  }
}

/** A tensor in the data type of the input: another float or integer type is converted, and that is said. */
function matchType(name: string, tensor: Tensor, { type }: Value, terminal: Terminal): Tensor {
  if (type?.kind !== 'tensor' || type.dtype === tensor.dtype) return tensor
  const { dtype } = type
  const convertible =
    (isFloat(dtype) && (isFloat(tensor.dtype) || isInteger(tensor.dtype))) ||
    (isInteger(dtype) && isInteger(tensor.dtype))
  if (!convertible)
    throw new EspalierError('bad-dtype', 'the array has another data type than the input', {
      where: { tensor: name },
      expected: dtype,
      got: tensor.dtype,
    })
  terminal.note(`note: input "${name}" was ${tensor.dtype} and is converted to ${dtype}`)
  return fromNumbers(dtype, tensor.shape, numbers(tensor))
}

/** Normal numbers for floats, 0 and 1 for integers and bool. Every dimension must have a value. */
function randomTensor(
  input: Value,
  symbols: ReadonlyMap<string, number>,
  key: readonly [number, number],
): Tensor {
  const { name, type } = input
  return locate({ tensor: name }, () => {
    if (type?.kind !== 'tensor' || type.shape === undefined || type.dtype === 'string')
      throw new EspalierError('usage', `cannot make random numbers for ${describeValue(input)}`, {
        hint: 'Give it a file',
      })
    const shape = type.shape.map((dim, axis) => substituteDim(dim ?? `${name}_dim${axis}`, symbols))
    const open = shape.filter(dim => typeof dim !== 'number')
    if (open.length > 0)
      throw new EspalierError('usage', `the shape of ${describeValue(input)} is not fixed`, {
        hint: `Give ${open.map(dim => `--symbol ${dim}=N`).join(' ')}`,
      })
    const fixed = shape as number[]
    const dtype: DType = type.dtype
    return fromNumbers(dtype, fixed, isFloat(dtype) ? normal(key, fixed) : integers(key, 0, 2, fixed))
  })
}
