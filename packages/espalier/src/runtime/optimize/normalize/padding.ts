/** Padding around a window as attributes say it, and as a `Pad` node says it. */
import type { Node } from '../../../graph/graph.ts'
import { numbers } from '../../../tensor/elements.ts'
import type { RuleContext } from '../rule.ts'

/** Explicit pads of a convolution or pool, `2 * spatial` numbers; `undefined` where they follow from the input's extents. */
export function padsOf(c: RuleContext, node: Node, spatial: number): readonly number[] | undefined {
  const attributes = c.attributes(node)
  const automatic = attributes.optionalString('auto_pad') ?? 'NOTSET'
  if (automatic === 'VALID') return new Array<number>(2 * spatial).fill(0)
  if (automatic !== 'NOTSET') return undefined
  return attributes.optionalInts('pads') ?? new Array<number>(2 * spatial).fill(0)
}

export function isUnpadded(c: RuleContext, node: Node): boolean {
  return padsOf(c, node, 0)?.every(pad => pad === 0) ?? false
}

/** What a `Pad` adds before and after every axis; `undefined` where it is not constant, or cuts. */
export function constantPad(
  c: RuleContext,
  node: Node,
):
  | { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number }
  | undefined {
  const attributes = c.attributes(node)
  const rank = c.shape(node.inputs[0])?.length
  if (rank === undefined || attributes.string('mode') !== 'constant') return undefined
  const given = c.opset < 11 ? attributes.optionalInts('pads') : listOf(c, node.inputs[1])
  const value = c.opset < 11 ? attributes.float('value') : fillOf(c, node.inputs[2])
  const axes =
    (node.inputs[3] ?? '') === '' ? Array.from({ length: rank }, (_, i) => i) : listOf(c, node.inputs[3])
  if (given === undefined || value === undefined || axes === undefined || given.length !== 2 * axes.length)
    return undefined
  const [before, after] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)]
  for (const [index, axis] of axes.entries()) {
    before[axis < 0 ? axis + rank : axis] = given[index]!
    after[axis < 0 ? axis + rank : axis] = given[index + axes.length]!
  }
  return [...before, ...after].some(pad => pad < 0) ? undefined : { before, after, value }
}

function listOf(c: RuleContext, name: string | undefined): number[] | undefined {
  const constant = c.constant(name)
  return constant && Array.from(numbers(constant))
}

function fillOf(c: RuleContext, name: string | undefined): number | undefined {
  return name === undefined || name === '' ? 0 : c.scalar(name)
}
