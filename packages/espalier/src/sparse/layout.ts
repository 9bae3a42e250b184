/**
 * A way of keeping a weight with zeros for a kernel that leaves them out. A layout is one file in layouts/ and a line in
 * the index there; one conformance suite runs on all of them. It says which products it takes and, cut for one, how much it
 * keeps, how many bytes that is, how long its kernel works (costs.ts), how it is packed, and which step multiplies by it.
 * Which layout a weight gets, if any, choice.ts says.
 */
import type { Operand, StepValues } from '../plan/step.ts'
import type { StepKind } from '../plan/steps/index.ts'
import type { sparseCutFields } from '../plan/steps/sparse-cut.ts'
import type { WindowValues } from '../plan/steps/window.ts'
import type { Target } from '../plan/target.ts'
import type { KernelCosts, Work } from './costs.ts'
import type { Numbers, WeightMatrix } from './matrix.ts'
import type { Nonzeros } from './nonzeros.ts'

/** What is multiplied: floats, or 8-bit integers. */
export type SparseDtype = 'float32' | 'int8'

/** A product with a constant weight, as far as layouts look at it. */
export interface ProductShape {
  readonly matrix: WeightMatrix
  /** Its pixels are the rows of the product; see {@link lineOf}. */
  readonly window: WindowValues
}

export interface SparseLayout<D extends SparseDtype = SparseDtype> {
  /** As explanations and costs name it. */
  readonly name: string
  readonly dtype: D
  /** What is kept or left out as one, in the plural: 'numbers', 'fours'. Layouts with the same unit count it alike. */
  readonly unit: string
  /** Numbers of a unit. */
  readonly width: number
  /** What its kernel takes on one core with AVX2 (8 floats a vector), where nobody has measured: see costs.ts. */
  readonly costs: KernelCosts
  /** What its kernel is timed on, to know what it takes on a machine. */
  readonly probe: Probe
  /** How it is cut for a product on a machine; `undefined` where there is no kernel for that, whatever the number of threads. */
  cut(product: ProductShape, target: Target): CutLayout<D> | undefined
}

/** Products of matrices that a kernel is timed on. Weights keep `round(share * group)` of every `group` units along the inputs. */
export interface Probe {
  /** Whether it is for fewer rows than a vector has numbers: it is then timed on four. */
  readonly few: boolean
  /** Outputs and inputs of a unit. */
  readonly unit: readonly [outputs: number, inputs: number]
  readonly group: number
  /** Two that are well apart tell what is kept from what is fixed; with one, all of {@link KernelCosts} follow from it. */
  readonly shares: readonly number[]
}

/** A layout as it is for products of one shape on one machine. Takes the numbers of a matrix of that shape. */
export interface CutLayout<D extends SparseDtype = SparseDtype, At extends Places = Places> {
  /** With a weight and how it is walked, says what the packed bytes are. */
  readonly id: string
  /** Units of a weight without zeros. */
  readonly units: number
  /** Units that are kept: all that have a number. `undefined` where the layout cannot hold these numbers. One pass. */
  kept(nonzeros: Nonzeros): number | undefined
  /** Bytes that {@link pack} makes. One pass. */
  bytes(nonzeros: Nonzeros): number
  /** The same bytes each time. Only for numbers of which {@link kept} knows how many units they are. */
  pack(nonzeros: Nonzeros): Packed<At>
  /** The matrix again, as [outputs][k], in an array of the type of `like`. */
  unpack(packed: Packed<At>, like: Numbers): Numbers
  /** What the kernel has to do where so many units are kept. Does not grow less with more of them. */
  work(kept: number): Work
  /** Emits the step that multiplies by `weight`, packed bytes of which `at` says where what lies. */
  emit(to: StepMaker, operands: Operands<D>, weight: Operand, at: At): void
}

/** Where the parts of a packed weight lie, in bytes, and how many there are of what. */
export type Places = Readonly<Record<string, number>>

export interface Packed<At extends Places = Places> {
  readonly bytes: Uint8Array
  readonly at: At
}

/** The part of a `LowerContext` that steps are made with. */
export interface StepMaker {
  readonly target: Target
  scratch(bytes: number): Operand
  table(data: ArrayBufferView): Operand
  emit<K extends StepKind>(kind: K, values: StepValues<K>): void
}

/** What a step needs beside the weight and the shape of the product. */
export type Operands<D extends SparseDtype> = {
  float32: Pick<
    StepValues<'sparse_f32'>,
    'x' | 'y' | 'bias' | 'residual' | 'xStride' | 'activation' | 'alpha' | 'beta'
  >
  int8: Omit<
    StepValues<'sparse_i8'>,
    Exclude<keyof typeof sparseCutFields, 'xStride'> | 'w' | 'quads' | 'sumsAt' | 'scratch' | 'scratchBytes'
  >
}[D]

/** The window of a product of matrices: `rows` pixels in a line. */
export function lineOf(rows: number): WindowValues {
  const line = [1, 1, rows]
  const ones = [1, 1, 1]
  return {
    batch: 1,
    input: line,
    output: line,
    kernel: ones,
    strides: ones,
    dilations: ones,
    pads: [0, 0, 0],
  }
}

/** Whether a window is a line, so that row i of the product is row i of what it reads. */
export function isLine({ input, output, kernel, strides, pads }: WindowValues): boolean {
  const ones = (list: readonly number[]): boolean => list.every(extent => extent === 1)
  return ones(kernel) && ones(strides) && pads.every(pad => pad === 0) && `${input}` === `${output}`
}
