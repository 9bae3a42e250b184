/**
 * Attention as one step. Operands are taken as they lie: a layout is a set of strides. Where a cache is appended to, the
 * step writes the present and reads it while it is in the processor's cache.
 */

import type { Operand } from '../../plan/step.ts'
import { maskKinds } from '../../plan/steps/attention.ts'
import { broadcastStrides, type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import { floats } from '../schema.ts'
import { readDtype } from './precision.ts'

/** An operand with its axes named: b batch, h head, s position, d element. */
interface Lying {
  readonly extents: readonly [batch: number, heads: number, length: number, size: number]
  readonly strides: readonly [batch: number, heads: number, length: number, size: number]
}

function lying(shape: Shape, layout: string): Lying {
  const strides = stridesOf(shape)
  const order = Array.from('bhsd', letter => layout.indexOf(letter)) as [number, number, number, number]
  const pick = (list: readonly number[]): [number, number, number, number] => [
    list[order[0]]!,
    list[order[1]]!,
    list[order[2]]!,
    list[order[3]]!,
  ]
  return { extents: pick(shape), strides: pick(strides) }
}

/** What the operators differ in. */
interface Settings {
  readonly q: Lying
  readonly k: Lying
  readonly v: Lying
  readonly y: Lying
  readonly scale: number
  readonly softcap: number
  readonly left: number
  readonly right: number
  /** Whether a mask with fewer keys hides the others. */
  readonly padMask: boolean
  /** Index of the input with the keys that count. */
  readonly lengths?: number
}

/** Limits of the kernel's blocks (kernels/attention.hpp): float32 of scratch for every thread. */
function scratchFloats(size: number, valueSize: number): number {
  const [queries, keys, stride, padding] = [64, 72, 80, 32]
  const width = Math.ceil(valueSize / padding) * padding
  return Math.ceil((queries * size + (keys + stride) * width + keys * stride) / 16) * 16
}

function lowerAttention(c: LowerContext, settings: Settings): string | undefined {
  const { q, k, v, y, scale, softcap, left, right } = settings
  const other = [0, 1, 2, 4, 5].find(index => c.hasInput(index) && c.type(index).dtype !== 'float32')
  if (other !== undefined) return `there is no kernel for ${c.type(other).dtype}`
  const [batch, heads, queries, size] = q.extents
  const [kvHeads, fresh] = [k.extents[1], k.extents[2]]
  const valueSize = v.extents[3]
  const [pastK, pastV] = [c.optionalInput(4), c.optionalInput(5)]
  const past = pastK === undefined ? 0 : c.type(4).shape[2]!
  const keys = past + fresh
  const fits =
    k.extents[0] === batch &&
    v.extents[0] === batch &&
    k.extents[3] === size &&
    v.extents[2] === fresh &&
    v.extents[1] === kvHeads &&
    kvHeads > 0 &&
    heads % kvHeads === 0 &&
    (pastK === undefined) === (pastV === undefined) &&
    (pastK === undefined || sizeOf(c.type(4).shape) === batch * kvHeads * past * size) &&
    (pastV === undefined || sizeOf(c.type(5).shape) === batch * kvHeads * past * valueSize)
  if (!fits) return 'queries, keys and values do not fit each other'
  if (v.strides[3] !== 1 && valueSize > 1) return 'the kernel takes values whose elements lie side by side'
  const mask = maskOf(c, [batch, heads, queries, keys], settings.padMask)
  if (typeof mask === 'string') return mask
  const present = (output: number, width: number): Operand | undefined => {
    if (c.hasOutput(output)) return c.output(output)
    return pastK === undefined ? undefined : c.scratch(4 * batch * kvHeads * keys * width)
  }
  const floatsEach = scratchFloats(size, valueSize)
  c.emit('attention_f32', {
    q: c.input(0),
    k: c.input(1),
    v: c.input(2),
    lengths: settings.lengths === undefined ? undefined : c.optionalInput(settings.lengths),
    pastK,
    pastV,
    y: c.output(0),
    presentK: present(1, size),
    presentV: present(2, valueSize),
    scratch: c.scratch(4 * floatsEach * c.target.threads),
    scratchFloats: floatsEach,
    batch,
    heads,
    kvHeads,
    queries,
    keys,
    past,
    size,
    valueSize,
    scale,
    softcap,
    left,
    right,
    ...mask,
    qStrides: q.strides.slice(0, 3),
    kStrides: k.strides,
    vStrides: v.strides.slice(0, 3),
    yStrides: y.strides.slice(0, 3),
  })
  return undefined
}

interface MaskValues {
  readonly mask: Operand | undefined
  readonly maskKind: number
  readonly maskKeys: number
  readonly maskStrides: readonly number[]
}

/** The mask of input 3, broadcast to the scores, or why there is no kernel for it. */
function maskOf(c: LowerContext, scores: Shape, padMask: boolean): MaskValues | string {
  const mask = c.optionalInput(3)
  if (mask === undefined) return { mask, maskKind: maskKinds.none, maskKeys: 0, maskStrides: [0, 0, 0, 0] }
  const { dtype, shape } = c.type(3)
  if (dtype !== 'float32' && dtype !== 'bool') return `there is no kernel for a mask of ${dtype}`
  const keys = scores[3]!
  const maskKeys = padMask ? Math.min(shape.at(-1) ?? 1, keys) : keys
  const target = scores.with(3, maskKeys)
  const lead = 4 - shape.length
  if (lead < 0 || shape.some((extent, axis) => extent !== 1 && extent !== target[lead + axis]))
    return 'the mask does not broadcast to the scores'
  return {
    mask,
    maskKind: dtype === 'bool' ? maskKinds.bool : maskKinds.float,
    maskKeys,
    maskStrides: broadcastStrides(shape, target),
  }
}

/** Lowers the project's own `Attention`. */
export function lowerHeads(c: LowerContext): string | undefined {
  const [q, k, v] = ['q', 'k', 'v'].map((name, index) =>
    lying(c.type(index).shape, c.attributes.string(`${name}_layout`)),
  ) as [Lying, Lying, Lying]
  return lowerAttention(c, {
    q,
    k,
    v,
    y: lying(c.outputType(0).shape, c.attributes.string('y_layout')),
    scale: c.attributes.float('scale'),
    softcap: 0,
    left: -1,
    right: c.attributes.int('causal') !== 0 ? 0 : -1,
    padMask: false,
  })
}

/** Lowers ONNX's `Attention`: rank 4, or rank 3 with the heads packed in the last axis. */
export function lowerOnnxAttention(c: LowerContext): string | undefined {
  if (c.hasOutput(3)) return 'the kernel does not give the scores'
  const precision = readDtype(c.attributes, 'softmax_precision', floats)
  if (precision === 'float16' || precision === 'bfloat16')
    return `the kernel does not round probabilities to ${precision}`
  if (c.hasInput(6) && c.hasInput(4)) return 'two kinds of caches are given'
  if (c.hasInput(6) && sizeOf(c.type(6).shape) !== c.type(0).shape[0])
    return 'there is not one length for each sample'
  const heads = [
    c.attributes.optionalInt('q_num_heads'),
    c.attributes.optionalInt('kv_num_heads'),
    c.attributes.optionalInt('kv_num_heads'),
  ]
  const read = (shape: Shape, count: number | undefined): Lying | undefined => {
    if (shape.length === 4)
      return count === undefined || count === shape[1] ? lying(shape, 'bhsd') : undefined
    if (shape.length !== 3 || count === undefined || count < 1 || shape[2]! % count !== 0) return undefined
    return lying([shape[0]!, shape[1]!, count, shape[2]! / count], 'bshd')
  }
  const [q, k, v] = heads.map((count, index) => read(c.type(index).shape, count))
  const y = read(c.outputType(0).shape, heads[0])
  if (q === undefined || k === undefined || v === undefined || y === undefined)
    return 'the operands do not divide into heads'
  const [left, right] = ['left_window_size', 'right_window_size'].map(
    name => c.attributes.optionalInt(name) ?? -1,
  ) as [number, number]
  if (left < -1 || right < -1) return 'there is no window of such a size'
  return lowerAttention(c, {
    q,
    k,
    v,
    y,
    scale: c.attributes.optionalFloat('scale') ?? 1 / Math.sqrt(q.extents[3]),
    softcap: c.attributes.float('softcap'),
    left,
    right: c.attributes.int('is_causal') !== 0 ? 0 : right,
    padMask: c.version >= 24,
    lengths: 6,
  })
}
