/**
 * Reading arithmetic as mathematics: products with one coefficient, sums with one offset, powers and roots, however an
 * exporter has nested and ordered them. Only nodes that nobody else reads are looked through.
 */
import { sameDim } from '../../graph/dim.ts'
import type { Dim, Node } from '../../graph/graph.ts'
import type { RuleContext } from './rule.ts'

/**
 * Relative difference up to which a constant of a file counts as the one in a formula: exporters write six digits and
 * more (0.044715, 0.79788456), float32 keeps seven.
 */
const TOLERANCE = 1e-5

/** Whether a constant is the one that a formula has. */
export function near(value: number | undefined, wanted: number): boolean {
  return value !== undefined && Math.abs(value - wanted) <= TOLERANCE * Math.abs(wanted)
}

/** `coefficient` times all `factors`. */
export interface Product {
  readonly coefficient: number
  readonly factors: readonly string[]
}

/** Most factors of interest: x, x, x and one more in the longest formula. */
const MOST_FACTORS = 5

/** The product that a `Mul` or `Div` computes, those under it that nobody else reads included. */
export function productOf(c: RuleContext, node: Node): Product | undefined {
  const factors: string[] = []
  let coefficient = 1
  const pending = [node]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [a, b] = next.inputs
    const divisor = next.op === 'Div' ? c.scalar(b) : 1
    if (divisor === undefined) {
      if (next === node) return undefined
      factors.push(next.outputs[0]!)
      continue
    }
    coefficient /= divisor
    for (const name of next.op === 'Div' ? [a!] : [a!, b!]) {
      const number = c.scalar(name)
      const inner = c.only(name, 'Mul', 'Div')
      if (number !== undefined) coefficient *= number
      else if (inner !== undefined) pending.push(inner)
      else factors.push(name)
      if (factors.length > MOST_FACTORS) return undefined
    }
  }
  return { coefficient, factors }
}

/** As {@link productOf} for a value: itself, once, where it is no product. */
export function productBehind(c: RuleContext, name: string): Product {
  const node = c.only(name, 'Mul', 'Div')
  return (node && productOf(c, node)) ?? { coefficient: 1, factors: [name] }
}

/** A value and the number added to it. */
export interface Offset {
  readonly value: string
  readonly offset: number
}

/** What an `Add` or `Sub` with a number computes. */
export function offsetOf(c: RuleContext, node: Node | undefined): Offset | undefined {
  if (node === undefined || (node.op !== 'Add' && node.op !== 'Sub')) return undefined
  const [a, b] = node.inputs as readonly [string, string]
  const second = c.scalar(b)
  if (second !== undefined) return { value: a, offset: node.op === 'Add' ? second : -second }
  const first = node.op === 'Add' ? c.scalar(a) : undefined
  return first === undefined ? undefined : { value: b, offset: first }
}

/** The value whose square a node computes: x^2 or x*x. */
export function squareOf(c: RuleContext, node: Node | undefined): string | undefined {
  if (node === undefined) return undefined
  const [a, b] = node.inputs
  if (node.op === 'Mul') return a === b ? a : undefined
  return node.op === 'Pow' && c.scalar(b) === 2 ? a : undefined
}

/** Two values in both orders; none where there are not two. */
export function bothOrders([a, b, ...rest]: readonly string[]): readonly (readonly [string, string])[] {
  if (a === undefined || b === undefined || rest.length > 0) return []
  return [
    [a, b],
    [b, a],
  ]
}

/** Whether two shapes are known to be equal in every run. */
export function sameDims(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean {
  if (a === undefined || b === undefined || a.length !== b.length) return false
  return a.every((dim, axis) => sameDim(dim, b[axis]!))
}

/** Whether two values have known and equal ranks. */
export function sameRank(c: RuleContext, a: string, b: string): boolean {
  const [x, y] = [c.shape(a), c.shape(b)]
  return x !== undefined && x.length === y?.length
}
