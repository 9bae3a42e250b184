/**
 * Products of float32 matrices as steps (kernels/gemm.hpp): leading axes that lie as one are folded into rows, the rest
 * become a batch with strides, constant matrices are packed once a session.
 */
import { makeStep, type Operand, type StepValues } from '../../plan/step.ts'
import { gemmLayouts, gemmScratchBytes } from '../../plan/steps/gemm.ts'
import { lineOf } from '../../sparse/layout.ts'
import { productMatrix } from '../../sparse/matrix.ts'
import { broadcastShapes, broadcastStrides, sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import { type Activation, activationFields } from './activation.ts'
import { lowerSparse } from './lower-sparse.ts'

/** What is to be computed of inputs 0 (a), 1 (b) and, where they are named, a bias and a residual. */
export interface ProductOptions {
  /** The first matrix lies transposed. Rank 2 only. */
  readonly transA?: boolean
  /** The second matrices lie transposed. */
  readonly transB?: boolean
  /** Multiplies the product; 1 by default. */
  readonly scale?: number
  /** Index of an input that is added, broadcast to the output. */
  readonly bias?: number
  /** Multiplies the bias; 1 by default. */
  readonly biasScale?: number
  /** Index of an input of the output's shape that is added. */
  readonly residual?: number
  readonly activation?: Activation
}

/** One axis of the batch, or the rows: its extent and what each operand moves by, in elements. */
interface Axis {
  readonly extent: number
  readonly a: number
  readonly b: number
  readonly bias: number
  readonly y: number
}

const batchRank = 6
const none: Activation = { name: 'none', alpha: 0, beta: 0 }

/** Emits activation(scale * a . b + biasScale * bias + residual) to output 0, or says why not. */
export function lowerProduct(c: LowerContext, options: ProductOptions): string | undefined {
  const { dtype, shape } = c.outputType(0)
  if (dtype !== 'float32') return `no kernel multiplies matrices of ${dtype}`
  if (sizeOf(shape) === 0) return undefined
  const { batchA, batchB, batch, m, n, k } = matricesOf(c, options)
  const bias = options.bias !== undefined && c.hasInput(options.bias) ? options.bias : undefined
  if (lowersSparse(c, options, { batchB, m: sizeOf(batch) * m, n, k }, bias)) return undefined
  const b = secondOperand(c, { m, n, k, matrices: sizeOf(batchB), transposed: options.transB === true })
  const biasStrides = broadcastStrides(
    bias === undefined ? [] : fullShape(c.type(bias).shape, c.type(0).shape, c.type(1).shape),
    [...batch, m, n],
  )
  const [aStrides, bStrides, yStrides] = [
    broadcastStrides(batchA, batch),
    broadcastStrides(batchB, batch),
    stridesOf(batch),
  ]
  const axes = batch.map((extent, i) => ({
    extent,
    a: aStrides[i]! * m * k,
    b: bStrides[i]! * b.matrix,
    bias: biasStrides[i]!,
    y: yStrides[i]! * m * n,
  }))
  const rows = { extent: m, a: k, b: 0, bias: biasStrides.at(-2)!, y: n }
  const folded = fold([...axes, rows])
  // A single row may have been folded away.
  const inner = folded.at(-1)?.b === 0 ? folded.pop()! : { ...rows, extent: 1 }
  if (folded.length > batchRank) return `more than ${batchRank} axes of the batch are broadcast`
  const thin = inner.extent <= 3 || (b.layout === gemmLayouts.columns && n < c.target.traits.lanes)
  const packs = b.layout !== gemmLayouts.panels && !thin
  const residual = options.residual === undefined ? undefined : c.optionalInput(options.residual)
  c.emit('gemm_f32', {
    a: options.transA ? transposed(c, m, k) : c.input(0),
    b: b.operand,
    bias: bias === undefined ? undefined : c.input(bias),
    residual,
    y: c.output(0),
    scratch: packs ? c.scratch(gemmScratchBytes * c.target.threads) : undefined,
    m: inner.extent,
    n,
    k,
    layout: b.layout,
    aStride: inner.a,
    bStride: b.stride,
    yStride: inner.y,
    biasRow: inner.bias,
    biasColumn: biasStrides.at(-1)!,
    biasScale: options.biasScale ?? 1,
    scale: options.scale ?? 1,
    ...activationFields(options.activation ?? none),
    ...batchFields(folded),
  })
  return undefined
}

/** One constant matrix with many zeros, for all rows of a, with what the sparse kernel adds to a product. */
function lowersSparse(
  c: LowerContext,
  options: ProductOptions,
  {
    batchB,
    m,
    n,
    k,
  }: { readonly batchB: readonly number[]; readonly m: number; readonly n: number; readonly k: number },
  bias: number | undefined,
): boolean {
  const weight = c.constant(1)
  const plain = (options.scale ?? 1) === 1 && (options.biasScale ?? 1) === 1 && !options.transA
  if (weight === undefined || !plain || sizeOf(batchB) !== 1 || k === 0) return false
  if (bias !== undefined && (sizeOf(c.type(bias).shape) !== n || c.type(bias).shape.at(-1) !== n))
    return false
  return lowerSparse(
    c,
    'float32',
    { weight, matrix: productMatrix(weight.shape, options.transB === true), window: lineOf(m) },
    () => ({
      x: c.input(0),
      y: c.output(0),
      bias: bias === undefined ? undefined : c.input(bias),
      residual: options.residual === undefined ? undefined : c.optionalInput(options.residual),
      xStride: k,
      ...activationFields(options.activation ?? none),
    }),
  )
}

function batchFields(
  axes: readonly Axis[],
): Pick<StepValues<'gemm_f32'>, 'batchRank' | 'batch' | 'aBatch' | 'bBatch' | 'biasBatch' | 'yBatch'> {
  return {
    batchRank: axes.length,
    batch: axes.map(axis => axis.extent),
    aBatch: axes.map(axis => axis.a),
    bBatch: axes.map(axis => axis.b),
    biasBatch: axes.map(axis => axis.bias),
    yBatch: axes.map(axis => axis.y),
  }
}

interface Matrices {
  readonly batchA: readonly number[]
  readonly batchB: readonly number[]
  readonly batch: readonly number[]
  readonly m: number
  readonly n: number
  readonly k: number
}

/** A vector on the left is a row, on the right a column. */
function matricesOf(c: LowerContext, { transA, transB }: ProductOptions): Matrices {
  const [a, b] = [c.type(0).shape, c.type(1).shape]
  const [batchA, batchB] = [a.slice(0, -2), b.slice(0, -2)]
  const m = a.length === 1 ? 1 : a.at(transA ? -1 : -2)!
  const k = a.at(transA ? -2 : -1)!
  const n = b.length === 1 ? 1 : b.at(transB ? -2 : -1)!
  return { batchA, batchB, batch: broadcastShapes(batchA, batchB), m, n, k }
}

/** The shape of a bias beside [...batch, m, n], where the output lacks the axes of vectors. */
function fullShape(bias: readonly number[], a: readonly number[], b: readonly number[]): number[] {
  const shape = [...bias]
  if (b.length === 1) shape.push(1)
  if (a.length === 1 && shape.length > 0) shape.splice(-1, 0, 1)
  return shape
}

/** Merges neighbours that all operands walk through as one axis, and leaves out extents of 1. */
function fold(axes: readonly Axis[]): Axis[] {
  const folded: Axis[] = []
  for (const axis of axes.filter(({ extent }) => extent !== 1)) {
    const outer = folded.at(-1)
    const joins =
      outer !== undefined && (['a', 'b', 'bias', 'y'] as const).every(x => outer[x] === axis[x] * axis.extent)
    if (joins) folded[folded.length - 1] = { ...axis, extent: outer.extent * axis.extent }
    else folded.push(axis)
  }
  return folded
}

interface SecondMatrices {
  readonly m: number
  readonly n: number
  readonly k: number
  /** How many there are. */
  readonly matrices: number
  /** Whether they lie as [n, k]. */
  readonly transposed: boolean
}

interface SecondOperand {
  readonly operand: Operand
  readonly layout: number
  /** From row to row as stored, in elements. */
  readonly stride: number
  /** From matrix to matrix. */
  readonly matrix: number
}

function secondOperand(c: LowerContext, b: SecondMatrices): SecondOperand {
  const { n, k, matrices } = b
  const source = c.constant(1)
  const asItIs = (): SecondOperand => {
    // One column lies as one row would.
    const columns = b.transposed || n === 1
    const layout = columns ? gemmLayouts.columns : gemmLayouts.rows
    return { operand: c.input(1), layout, stride: columns ? k : n, matrix: k * n }
  }
  if (source === undefined || k === 0) return asItIs()
  const { lanes, gemmColumns } = c.target.traits
  const strides = { rowStride: b.transposed ? 1 : n, columnStride: b.transposed ? k : 1 }
  if (n < lanes && k >= 4 * lanes) {
    // A panel would be mostly zeros: dot products of rows of a with columns of b.
    if (b.transposed || n === 1) return asItIs()
    const operand = c.packed('gemm_f32 columns', source, 4 * k * n * matrices, (x, y) =>
      makeStep(
        'copy',
        {
          x,
          y,
          size: 4,
          rank: 3,
          shape: [matrices, n, k],
          xStrides: [k * n, strides.columnStride, strides.rowStride],
          yStrides: [k * n, k, 1],
        },
        [`weights of ${c.node.name}`],
      ),
    )
    return { operand, layout: gemmLayouts.columns, stride: k, matrix: k * n }
  }
  const matrix = Math.ceil(n / gemmColumns) * gemmColumns * k
  const layout = `gemm_f32 panels of ${k}x${n}${b.transposed ? ', transposed' : ''}`
  const operand = c.packed(layout, source, 4 * matrix * matrices, (x, y) =>
    makeStep('pack_gemm_f32', { x, y, matrices, k, n, matrixStride: k * n, ...strides }, [
      `weights of ${c.node.name}`,
    ]),
  )
  return { operand, layout: gemmLayouts.panels, stride: 0, matrix }
}

/** The first matrix, [k, m] as it lies, turned. */
function transposed(c: LowerContext, m: number, k: number): Operand {
  const y = c.scratch(4 * m * k)
  c.emit('copy', { x: c.input(0), y, size: 4, rank: 2, shape: [m, k], xStrides: [1, m], yStrides: [k, 1] })
  return y
}
