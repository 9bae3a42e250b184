/** The common core of layer and RMS norm: a value times the inverse root of a mean of squares over the last axis. */
import type { Node } from '../../../graph/graph.ts'
import { full } from '../../../tensor/elements.ts'
import type { Exchange, RuleContext } from '../rule.ts'
import { offsetOf, squareOf } from '../terms.ts'

/** `numerator` / sqrt(mean(`squared`^2 over the last axis) + `epsilon`). */
export interface Standardized {
  readonly numerator: string
  readonly squared: string
  readonly epsilon: number
}

/** What a `Div` or `Mul` computes, where it has that form. */
export function standardizedBy(c: RuleContext, node: Node): Standardized | undefined {
  const [a, b] = node.inputs as readonly [string, string]
  const orders: readonly (readonly [string, string])[] =
    node.op === 'Div'
      ? [[a, b]]
      : [
          [a, b],
          [b, a],
        ]
  for (const [numerator, factor] of orders) {
    const radicand = node.op === 'Div' ? rootOf(c, factor) : inverseRootOf(c, factor)
    const found = radicand === undefined ? undefined : meanSquare(c, radicand)
    if (found !== undefined && c.isFloat32(numerator)) return { numerator, ...found }
  }
  return undefined
}

/** The value whose mean of squares plus epsilon `name` is. */
export function meanSquare(
  c: RuleContext,
  name: string,
): { readonly squared: string; readonly epsilon: number } | undefined {
  const sum = offsetOf(c, c.only(name, 'Add'))
  const mean = sum && c.only(sum.value, 'ReduceMean')
  if (mean === undefined || !isOverLastAxis(c, mean)) return undefined
  const squared = squareOf(c, c.only(mean.inputs[0], 'Mul', 'Pow'))
  return squared === undefined ? undefined : { squared, epsilon: sum!.offset }
}

/** The value whose square root `name` is. */
function rootOf(c: RuleContext, name: string): string | undefined {
  const node = c.only(name, 'Sqrt', 'Pow')
  return node?.op === 'Pow' && c.scalar(node.inputs[1]) !== 0.5 ? undefined : node?.inputs[0]
}

/** The value whose inverse square root `name` is. */
export function inverseRootOf(c: RuleContext, name: string): string | undefined {
  const node = c.only(name, 'Reciprocal', 'Div', 'Pow')
  if (node === undefined) return undefined
  if (node.op === 'Reciprocal') return rootOf(c, node.inputs[0]!)
  if (node.op === 'Pow') return c.scalar(node.inputs[1]) === -0.5 ? node.inputs[0] : undefined
  return c.scalar(node.inputs[0]) === 1 ? rootOf(c, node.inputs[1]!) : undefined
}

/** The value that `name` is without its mean over the last axis: x of x - mean(x). */
export function centeredOf(c: RuleContext, name: string): string | undefined {
  const node = c.made(name, 'Sub')
  const x = node?.inputs[0]
  return x !== undefined && meanOf(c, node!.inputs[1]!) === x ? x : undefined
}

/** The value whose mean over the last axis `name` is. */
export function meanOf(c: RuleContext, name: string): string | undefined {
  const node = c.made(name, 'ReduceMean')
  return node !== undefined && isOverLastAxis(c, node) ? node.inputs[0] : undefined
}

/** Whether a mean is taken over the last axis alone, which stays with extent 1. */
function isOverLastAxis(c: RuleContext, node: Node): boolean {
  const attributes = c.attributes(node)
  const rank = c.shape(node.inputs[0])?.length
  const given = node.inputs[1] === undefined || node.inputs[1] === '' ? undefined : c.scalar(node.inputs[1])
  const listed = node.attributes.has('axes') ? attributes.ints('axes') : []
  const axis = given ?? (listed.length === 1 ? listed[0] : undefined)
  if (axis === undefined || rank === undefined || attributes.int('keepdims') === 0) return false
  return axis === -1 || axis === rank - 1
}

/** The norm of `x`, still without scale and shift, in the place of `node`. */
export function normOf(
  c: RuleContext,
  node: Node,
  operator: 'espalier.SkipLayerNormalization' | 'espalier.SkipRMSNormalization',
  x: string,
  epsilon: number,
): Exchange | undefined {
  const width = c.shape(x)?.at(-1)
  if (typeof width !== 'number' || width === 0 || !c.isFloat32(x)) return undefined
  const draft = c.draft()
  const scale = draft.constant(full('float32', [width], 1), `${node.outputs[0]}_scale`)
  draft.node(
    operator,
    [x, undefined, scale],
    { epsilon: { type: 'float', value: epsilon } },
    { output: node.outputs[0]!, name: node.name },
  )
  return draft.done()
}
