/**
 * Quantised models as files spell them (products of integers with scales around them, or float operators between
 * DequantizeLinear and QuantizeLinear) as operators on 8-bit integers. Run after spellings are made one, and before the
 * choice of layouts: convolutions come with Transposes around them, which cancel there.
 */
import type { Graph } from '../../../graph/graph.ts'
import { applyRules } from '../apply.ts'
import type { NodeRule } from '../rule.ts'
import { quantizedAdd } from './add.ts'
import { quantizedConv } from './conv.ts'
import { dynamicMatMul } from './dynamic-mat-mul.ts'
import { dynamicMatMulEnd } from './dynamic-mat-mul-end.ts'
import { quantizedLookup } from './lookup.ts'
import { quantizedMatMul } from './mat-mul.ts'
import { quantizedMovement } from './movement.ts'

export const quantizedRules: readonly NodeRule[] = [
  quantizedConv,
  quantizedMatMul,
  quantizedAdd,
  quantizedMovement,
  quantizedLookup,
  dynamicMatMul,
  dynamicMatMulEnd,
]

/** The graph with its quantised parts on integers. */
export function fuseQuantized(graph: Graph): Graph {
  return applyRules(graph, quantizedRules, { tidy: true })
}
