/**
 * Scaled dot-product attention on heads as they lie: queries, keys, values and result each in a layout of their own, so
 * that no transposes are needed around it. Letters name axes: b batch, h head, s position, d element. A cache of past
 * keys and values is [b, h, s, d]; keys and values behind it are given as a whole. As in ONNX's `Attention`, a query
 * whose mask is minus infinity everywhere gives zeros.
 */
import { EspalierError } from '../../errors.ts'
import { addDims, multiplyDims, productOfDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { formatShape, stridesOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { InferContext, NodeContext, Op } from '../op.ts'
import { float, floats, int, string } from '../schema.ts'
import { biasRows } from '../support/attention-mask.ts'
import {
  appendHeads,
  type Heads,
  readHeads,
  readValues,
  requireAttention,
  scoresOf,
  softmaxRow,
} from '../support/heads.ts'
import { typed } from '../support/infer.ts'
import { lowerHeads } from '../support/lower-attention.ts'
import { copyStrided } from '../support/movement.ts'

const layouts = ['bhsd', 'bshd'] as const

export const Attention: Op = {
  name: 'Attention',
  domain: 'espalier',
  doc: 'Scaled dot-product attention, with a mask, a cache, grouped heads, and a layout for each operand.',
  versions: {
    1: {
      inputs: ['q: T', 'k: T', 'v: T', 'mask?: U', 'past_k?: T', 'past_v?: T'],
      outputs: ['y: T', 'present_k?: T', 'present_v?: T'],
      types: { T: floats, U: [...floats, 'bool'] },
      attributes: {
        scale: float(1),
        causal: int(0),
        q_layout: string('bhsd', layouts),
        k_layout: string('bhsd', [...layouts, 'bhds']),
        v_layout: string('bhsd', layouts),
        y_layout: string('bhsd', layouts),
      },
    },
  },
  infer(c) {
    const dims = dimsOf(c)
    if (dims === undefined)
      return c.inputs
        .slice(0, 3)
        .map((_, i) => typed(c.dtype(i), undefined))
        .slice(0, c.outputCount)
    const { q, k, v, keys } = dims
    const y = inLayout([q[0], q[1], q[2], v[3]], c.attributes.string('y_layout'))
    return [
      typed(c.dtype(0), y),
      typed(c.dtype(1), [k[0], k[1], keys, k[3]]),
      typed(c.dtype(2), [v[0], v[1], keys, v[3]]),
    ].slice(0, c.outputCount)
  },
  macs(c) {
    const dims = dimsOf(c)
    if (dims === undefined) return null
    const { q, v, keys } = dims
    return multiplyDims(productOfDims([q[0], q[1], q[2], keys]), addDims(q[3], v[3]))
  },
  lower: lowerHeads,
  evaluate(c) {
    const read = (index: number, name: string): Heads =>
      readHeads(headsFirst(c.tensor(index), c.attributes.string(`${name}_layout`)), name)
    const q = read(0, 'q')
    const [pastK, pastV] = [c.optionalTensor(4), c.optionalTensor(5)]
    const k = pastK ? appendHeads(readHeads(pastK, 'past_k'), read(1, 'k'), 'k') : read(1, 'k')
    const v = pastV ? appendHeads(readHeads(pastV, 'past_v'), read(2, 'v'), 'v') : read(2, 'v')
    requireAttention(q, k, v)
    const scores = scoresOf(q, k, c.attributes.float('scale'))
    const writeBias = biasRows({
      batch: q.batch,
      heads: q.heads,
      queries: q.length,
      keys: k.length,
      mask: c.optionalTensor(3),
      padMask: false,
      causal: c.attributes.int('causal') !== 0,
      left: -1,
      right: -1,
      offsets: new Float64Array(q.batch).fill(pastK?.shape[2] ?? 0),
      validKeys: undefined,
    })
    const bias = new Float64Array(k.length)
    for (let row = 0, at = 0; at < scores.length; row++, at += k.length) {
      const head = Math.floor(row / q.length)
      writeBias(bias, Math.floor(head / q.heads), head % q.heads, row % q.length)
      const own = scores.subarray(at, at + k.length)
      for (let j = 0; j < k.length; j++) own[j]! += bias[j]!
      if (bias.every(value => value === Number.NEGATIVE_INFINITY)) own.fill(0)
      else softmaxRow(own, 0)
    }
    const dtype = c.tensor(0).dtype
    const y = fromNumbers(dtype, [q.batch, q.heads, q.length, v.size], readValues(scores, q, v))
    return [
      c.attributes.string('y_layout') === 'bhsd' ? y : permuted(y, [0, 2, 1, 3]),
      fromNumbers(c.tensor(1).dtype, [k.batch, k.heads, k.length, k.size], k.values),
      fromNumbers(c.tensor(2).dtype, [v.batch, v.heads, v.length, v.size], v.values),
    ].slice(0, c.outputCount)
  },
}

type Four = readonly [Dim, Dim, Dim, Dim]

/** Extents in the order bhsd, and keys with those of the past. */
function dimsOf(
  c: InferContext,
): { readonly q: Four; readonly k: Four; readonly v: Four; readonly keys: Dim } | undefined {
  const read = (index: number, name: string): Four | undefined => {
    const shape = c.shape(index)
    return shape && (orderFrom(c, name).map(axis => fourOf(shape, name)[axis]!) as unknown as Four)
  }
  const [q, k, v] = [read(0, 'q'), read(1, 'k'), read(2, 'v')]
  if (q === undefined || k === undefined || v === undefined) return undefined
  const past = c.hasInput(4) ? (c.shape(4)?.[2] ?? null) : 0
  return { q, k, v, keys: addDims(past, k[2]) }
}

/** For each axis of bhsd, which axis of an operand it is. */
function orderFrom(c: NodeContext, name: string): number[] {
  return axesOf(c.attributes.string(`${name}_layout`))
}

function axesOf(layout: string): number[] {
  return Array.from('bhsd', letter => layout.indexOf(letter))
}

function fourOf<D extends Dim>(shape: readonly D[], name: string): readonly D[] {
  if (shape.length === 4) return shape
  throw new EspalierError('bad-shape', `${name} does not have the axes of heads`, {
    expected: 'rank 4',
    got: formatShape(shape),
  })
}

/** Extents of bhsd in the order of a layout. */
function inLayout(shape: Four, layout: string): Dim[] {
  return Array.from(layout, letter => shape['bhsd'.indexOf(letter)]!)
}

/** A tensor in some layout as [b, h, s, d]. */
function headsFirst(source: Tensor, layout: string): Tensor {
  fourOf(source.shape, 'an operand')
  return layout === 'bhsd' ? source : permuted(source, axesOf(layout))
}

function permuted(source: Tensor, perm: readonly number[]): Tensor {
  const strides = stridesOf(source.shape)
  return copyStrided(
    source,
    perm.map(axis => source.shape[axis]!),
    perm.map(axis => strides[axis]!),
  )
}
