/**
 * Channels last: tensors [N, ...spatial, C], where ONNX has [N, C, ...spatial]. The kernels of convolutions and pools
 * want it, since a vector then holds channels of one pixel. Here: shapes and values from one order to the other, and
 * ONNX's operators made over into operators of the project's own domain that differ in the order alone.
 */
import { stridesOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { InferContext, Op } from '../op.ts'
import type { Schema } from '../schema.ts'
import { copyStrided } from './movement.ts'

/** The domain of the project's own operators. */
export const espalierDomain = 'espalier'

/** Axes of the channels-last order in terms of [N, C, ...spatial]: where axis k of the result comes from. */
export function toLast(rank: number): number[] {
  return Array.from({ length: rank }, (_, k) => (k === 0 ? 0 : k === rank - 1 ? 1 : k + 1))
}

/** The way back. */
export function toFirst(rank: number): number[] {
  return Array.from({ length: rank }, (_, k) => (k === 0 ? 0 : k === 1 ? rank - 1 : k - 1))
}

/** `list[order[0]], list[order[1]], ...` */
export function permuted<T>(list: readonly T[], order: readonly number[]): T[] {
  return order.map(axis => list[axis]!)
}

/** A channels-last shape in ONNX's order. Ranks below 3 have no spatial axes and stay as they are. */
export function channelsFirstShape<D>(shape: readonly D[]): D[] {
  return permuted(shape, toFirst(shape.length))
}

/** A shape in ONNX's order with its channels last. */
export function channelsLastShape<D>(shape: readonly D[]): D[] {
  return permuted(shape, toLast(shape.length))
}

/** A channels-last tensor in ONNX's order. */
export function channelsFirst(x: Tensor): Tensor {
  return transposed(x, toFirst(x.shape.length))
}

/** A tensor in ONNX's order with its channels last. */
export function channelsLast(x: Tensor): Tensor {
  return transposed(x, toLast(x.shape.length))
}

function transposed(x: Tensor, order: readonly number[]): Tensor {
  return copyStrided(x, permuted(x.shape, order), permuted(stridesOf(x.shape), order))
}

/** What an operator sees of its inputs while types are inferred, with the first `count` of them in ONNX's order. */
export function channelsFirstContext(c: InferContext): InferContext {
  return {
    ...c,
    shape: index => {
      const shape = c.shape(index)
      return shape && index === 0 ? channelsFirstShape(shape) : shape
    },
  }
}

interface Changes extends Pick<Op, 'doc' | 'lower'> {
  readonly schema: Schema
}

/** An operator of one input in ONNX's order as one with its channels last. */
export function withChannelsLast(op: Op, { schema, ...changes }: Changes): Op {
  return {
    name: op.name,
    domain: espalierDomain,
    versions: { 1: schema },
    ...changes,
    infer: c =>
      op
        .infer(channelsFirstContext(c))
        .map(type =>
          type?.kind === 'tensor' && type.shape !== undefined
            ? { ...type, shape: channelsLastShape(type.shape) }
            : type,
        ),
    evaluate(c) {
      const x = channelsFirst(c.tensor(0))
      const results = op.evaluate({ ...c, inputs: [x], tensor: () => x, optionalTensor: () => x })
      return results.map(y => channelsLast(y as Tensor))
    },
  }
}
