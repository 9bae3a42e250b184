/** Random values for the inputs of a model: enough to see whether it runs and what comes out. */
import { EspalierError, locate } from '../errors.ts'
import { describeType } from '../graph/describe.ts'
import { substituteDim } from '../graph/dim.ts'
import type { Value } from '../graph/graph.ts'
import { inputShape } from '../graph/inputs.ts'
import { dtypeInfo, isFloat } from '../tensor/dtype.ts'
import { fromNumbers } from '../tensor/elements.ts'
import { foldIn, integers, normal, randomKey } from '../tensor/random.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'

export interface RandomFeedOptions {
  /** Same seed, same values: 0 when left out. */
  readonly seed?: number
  /** Values of symbolic dimensions; an extent of which nothing is known is called `NAME_dimK`. */
  readonly symbols?: ReadonlyMap<string, number>
}

/**
 * A tensor for every one of `inputs`, such as `requiredInputs(graph)`: normal numbers for floats and complex numbers,
 * 0 and 1 for integers and bool, which are also valid indices. Throws `bad-shape` when an extent has no value,
 * `unsupported` for strings, sequences and inputs of unknown type.
 */
export function randomFeeds(
  inputs: readonly Value[],
  { seed = 0, symbols = new Map() }: RandomFeedOptions = {},
): Map<string, Tensor> {
  const key = randomKey(seed)
  return new Map(
    inputs.map((input, index) => [
      input.name,
      locate({ tensor: input.name }, () => randomTensor(input, symbols, foldIn(key, index))),
    ]),
  )
}

function randomTensor(
  input: Value,
  symbols: ReadonlyMap<string, number>,
  key: readonly [number, number],
): Tensor {
  const { type } = input
  if (type?.kind !== 'tensor' || type.shape === undefined || type.dtype === 'string')
    throw new EspalierError('unsupported', 'random numbers do not make a value for this input', {
      got: type === undefined ? 'an unknown type' : describeType(type),
      hint: 'Give it a value of its own',
    })
  const { dtype } = type
  const shape = (inputShape(input) ?? []).map(dim => substituteDim(dim, symbols))
  const open = shape.filter(dim => typeof dim !== 'number')
  if (open.length > 0)
    throw new EspalierError('bad-shape', 'the shape is not fixed', {
      got: describeType(type),
      hint: `Give a value to ${open.join(' and ')}; on the command line --symbol ${open.join('=N --symbol ')}=N`,
    })
  const fixed = shape as number[]
  const { kind } = dtypeInfo(dtype)
  if (kind === 'complex') return fromNumbers(dtype, fixed, normal(key, 2 * sizeOf(fixed)))
  return fromNumbers(dtype, fixed, isFloat(dtype) ? normal(key, fixed) : integers(key, 0, 2, fixed))
}
