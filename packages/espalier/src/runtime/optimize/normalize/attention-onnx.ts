/** ONNX's own `Attention` as this project's: heads packed in the last axis are told apart by a reshape. */
import { floatAttribute } from '../../../graph/builder.ts'
import { type Attribute, type Dim, type Node, tensorType } from '../../../graph/graph.ts'
import { int64 } from '../../../tensor/tensor.ts'
import type { Draft, NodeRule, RuleContext } from '../rule.ts'

export const attentionOnnx: NodeRule = {
  name: 'attention-onnx',
  at: ['Attention'],
  apply(node, c) {
    const [q, k, v, mask = '', ...cache] = node.inputs as readonly [string, string, string, ...string[]]
    const attributes = c.attributes(node)
    const rank = c.shape(q)?.length
    const heads = [attributes.optionalInt('q_num_heads'), attributes.optionalInt('kv_num_heads')] as const
    if (!isPlain(c, node) || rank === undefined || !c.isFloat32(q, k, v)) return undefined
    const size = sizeOfHead(c.shape(q), heads[0])
    if (size === undefined) return undefined
    const draft = c.draft()
    const packed = rank === 3
    const layout = packed ? 'bshd' : 'bhsd'
    const inputs = packed
      ? [apart(c, draft, q, heads[0]!), apart(c, draft, k, heads[1]!), apart(c, draft, v, heads[1]!)]
      : [q, k, v]
    const y = packed ? draft.fresh(`${node.outputs[0]}_heads`) : node.outputs[0]!
    if (packed) {
      const [batch = null, length = null] = c.shape(node.outputs[0]) ?? []
      draft.state(y, tensorType('float32', [batch, length, heads[0]!, null]))
    }
    draft.add({
      ...node,
      op: 'Attention',
      domain: 'espalier',
      inputs: trimmed([...inputs, mask, ...cache.slice(0, 2)]),
      outputs: [y, ...node.outputs.slice(1)],
      attributes: new Map<string, Attribute>([
        ['scale', floatAttribute(attributes.optionalFloat('scale') ?? 1 / Math.sqrt(size))],
        ['causal', { type: 'int', value: attributes.int('is_causal') }],
        ...['q_layout', 'k_layout', 'v_layout', 'y_layout'].map((name): [string, Attribute] => [
          name,
          { type: 'string', value: layout },
        ]),
      ]),
    })
    if (packed) {
      const shape = draft.constant(int64([0, 0, -1]), 'packed')
      draft.node('Reshape', [y, shape], {}, { output: node.outputs[0]! })
    }
    return draft.done()
  },
}

/** Whether a node asks for nothing beyond scale, mask, causality and a cache. */
function isPlain(c: RuleContext, node: Node): boolean {
  const attributes = c.attributes(node)
  const mask = c.dtype(node.inputs[3])
  return (
    attributes.float('softcap') === 0 &&
    attributes.optionalInt('softmax_precision') === undefined &&
    (attributes.optionalInt('left_window_size') ?? -1) === -1 &&
    (attributes.optionalInt('right_window_size') ?? -1) === -1 &&
    (node.inputs[6] ?? '') === '' &&
    (node.outputs[3] ?? '') === '' &&
    ((node.inputs[3] ?? '') === '' || mask === 'float32' || mask === 'bool') &&
    !isShortMask(c, node)
  )
}

/** From operator set 24 on a mask may cover fewer keys than there are. */
function isShortMask(c: RuleContext, node: Node): boolean {
  return (node.inputs[3] ?? '') !== '' && c.opset >= 24
}

function sizeOfHead(shape: readonly Dim[] | undefined, heads: number | undefined): number | undefined {
  const last = shape?.at(-1)
  if (typeof last !== 'number') return undefined
  return shape!.length === 3 ? last / (heads ?? Number.NaN) || undefined : last
}

/** [batch, length, heads * size] as [batch, length, heads, size]. */
function apart(c: RuleContext, draft: Draft, name: string, heads: number): string {
  const [batch = null, length = null, width] = c.shape(name) ?? []
  const size = typeof width === 'number' ? width / heads : null
  const shape = draft.constant(int64([0, 0, heads, -1]), 'heads')
  return draft.node(
    'Reshape',
    [name, shape],
    {},
    { type: tensorType('float32', [batch, length, heads, size]) },
  )
}

function trimmed(names: readonly string[]): readonly string[] {
  return names.slice(0, names.findLastIndex(name => name !== '') + 1)
}
