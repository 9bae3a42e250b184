/**
 * softmax(scale q k^T + mask) v as one operator. Found at the product with v; from there back through the softmax to
 * the scores, which are a product with any of: numbers multiplied, masks added, positions replaced by a very negative
 * number. Transposes, scales of q and k, caches and layouts join in the rules beside this one.
 *
 * `Where(allowed, scores, m)` becomes an added mask of 0 and m, for m up to -1e4: the weights that remain are below
 * exp(-1e4 + largest score) and vanish, as they did; only a row with nothing allowed comes out otherwise where m is
 * not as low as -1e9 (its weights follow the scores instead of being equal).
 */
import { floatAttribute } from '../../../graph/builder.ts'
import { sameDim } from '../../../graph/dim.ts'
import { type Dim, type Node, tensorType } from '../../../graph/graph.ts'
import { full } from '../../../tensor/elements.ts'
import type { Draft, NodeRule, RuleContext } from '../rule.ts'
import { bothOrders, productBehind, sameDims } from '../terms.ts'

/** Replaced scores up to here vanish in the softmax. */
const MASKED = -1e4

/** Most nodes between the product and the softmax. */
const DEEPEST = 6

export const attention: NodeRule = {
  name: 'attention',
  at: ['MatMul'],
  apply(node, c) {
    const [weights, v] = node.inputs as readonly [string, string]
    const softmax = softmaxOf(c, weights)
    const scores = softmax && scoresOf(c, softmax.inputs[0]!, DEEPEST)
    if (scores === undefined || !c.isFloat32(scores.q, scores.k, v)) return undefined
    if (!haveHeads(c.shape(scores.q), c.shape(scores.k), c.shape(v))) return undefined
    const draft = c.draft()
    const mask = maskOf(c, draft, scores.masks)
    draft.node(
      'espalier.Attention',
      [scores.q, scores.k, v, mask],
      {
        scale: floatAttribute(scores.scale),
        causal: 0,
        q_layout: 'bhsd',
        k_layout: 'bhds',
        v_layout: 'bhsd',
        y_layout: 'bhsd',
      },
      { output: node.outputs[0]!, name: node.name },
    )
    return draft.done()
  },
}

/** The softmax over keys behind a value, also where NaN (rows with nothing allowed) is then replaced by zero. */
function softmaxOf(c: RuleContext, name: string): Node | undefined {
  const node = c.only(name, 'Softmax')
  const rank = c.shape(name)?.length
  if (node === undefined || rank !== 4) return undefined
  const axis = c.attributes(node).int('axis')
  return axis === -1 || axis === rank - 1 ? node : undefined
}

type MaskPart =
  | { readonly added: string }
  | { readonly allowed: string; readonly value: string; readonly keeps: boolean }

interface Scores {
  readonly q: string
  /** Transposed: [batch, heads, size, keys]. */
  readonly k: string
  readonly scale: number
  readonly masks: readonly MaskPart[]
}

/** How the scores in `name` come about. */
function scoresOf(c: RuleContext, name: string, depth: number): Scores | undefined {
  const node = c.only(name, 'MatMul', 'Mul', 'Div', 'Add', 'Where')
  if (node === undefined || depth === 0) return undefined
  switch (node.op) {
    case 'MatMul':
      return { q: node.inputs[0]!, k: node.inputs[1]!, scale: 1, masks: [] }
    case 'Mul':
    case 'Div':
      return scaledScores(c, node, depth)
    case 'Add':
      return maskedScores(c, node, depth)
    default:
      return replacedScores(c, node, depth)
  }
}

/** Scores times a number, as long as no mask has been added to them. */
function scaledScores(c: RuleContext, node: Node, depth: number): Scores | undefined {
  const product = productBehind(c, node.outputs[0]!)
  if (product.factors.length !== 1 || product.factors[0] === node.outputs[0]) return undefined
  const inner = scoresOf(c, product.factors[0]!, depth - 1)
  return inner?.masks.length === 0 ? { ...inner, scale: inner.scale * product.coefficient } : undefined
}

function maskedScores(c: RuleContext, node: Node, depth: number): Scores | undefined {
  for (const [name, mask] of bothOrders(node.inputs)) {
    const inner = scoresOf(c, name, depth - 1)
    if (inner !== undefined && c.isFloat32(mask) && fits(c, mask, inner))
      return { ...inner, masks: [...inner.masks, { added: mask }] }
  }
  return undefined
}

function replacedScores(c: RuleContext, node: Node, depth: number): Scores | undefined {
  const [allowed, yes, no] = node.inputs as readonly [string, string, string]
  for (const [name, value, keeps] of [
    [yes, no, true],
    [no, yes, false],
  ] as const) {
    const number = c.scalar(value)
    if (number === undefined || number > MASKED) continue
    const inner = scoresOf(c, name, depth - 1)
    if (inner !== undefined && fits(c, allowed, inner))
      return { ...inner, masks: [...inner.masks, { allowed, value, keeps }] }
  }
  return undefined
}

/** Whether a mask broadcasts to the scores, and not the scores to it. */
function fits(c: RuleContext, mask: string, { q, k }: Scores): boolean {
  const [shape, queries, keys] = [c.shape(mask), c.shape(q), c.shape(k)]
  if (shape === undefined || shape.length > 4 || queries?.length !== 4 || keys?.length !== 4) return false
  const scores: readonly Dim[] = [...queries.slice(0, 3), keys[3]!]
  const own = [...new Array<Dim>(4 - shape.length).fill(1), ...shape]
  // Along the keys, the product with v sees to it: scores that grew would not have as many columns as v has rows.
  return own.every((dim, axis) => dim === 1 || axis === 3 || sameDim(dim, scores[axis]!))
}

/** Whether shapes are those of heads: [batch, heads, length, size], keys transposed, one head of keys for all at least. */
function haveHeads(
  q: readonly Dim[] | undefined,
  k: readonly Dim[] | undefined,
  v: readonly Dim[] | undefined,
): boolean {
  if (q?.length !== 4 || k?.length !== 4 || v?.length !== 4) return false
  const [heads, shared] = [q[1]!, k[1]!]
  return (
    sameDim(q[0]!, k[0]!) &&
    sameDim(q[0]!, v[0]!) &&
    sameDim(shared, v[1]!) &&
    (sameDim(heads, shared) || (shared === 1 && typeof heads === 'number')) &&
    sameDims([k[3]!], [v[2]!])
  )
}

/** One added mask for all parts; `undefined` for none. */
function maskOf(c: RuleContext, draft: Draft, parts: readonly MaskPart[]): string | undefined {
  const masks = parts.map(part => ('added' in part ? part.added : replacement(c, draft, part)))
  if (masks.length === 0) return undefined
  return masks.reduce((a, b) => draft.node('Add', [a, b], {}, { type: tensorType('float32') }))
}

/** Zero where a position is allowed and its value where it is not. */
function replacement(
  c: RuleContext,
  draft: Draft,
  { allowed, value, keeps }: Exclude<MaskPart, { readonly added: string }>,
): string {
  const [zero, masked] = [0, c.scalar(value)!].map(number =>
    draft.constant(full('float32', [], number), `${allowed}_mask`),
  )
  const inputs = keeps ? [allowed, zero!, masked!] : [allowed, masked!, zero!]
  return draft.node('Where', inputs, {}, { type: tensorType('float32', c.shape(allowed)) })
}
