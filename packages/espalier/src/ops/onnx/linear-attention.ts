/**
 * Linear attention as a recurrence over a state S [size of keys, size of values] for each head, step by step:
 *   S = exp(g) S                  decay, for `gated` and `gated_delta`
 *   v = beta (v - S^T k)          what the state does not know yet, for `delta` and `gated_delta`
 *   S = S + k v^T;  o = scale S^T q
 * Several query heads may read one state. The state is kept in float64. `chunk_size` is a hint without effect
 * here.
 */
import { EspalierError } from '../../errors.ts'
import { addDims, floorDivideDims, multiplyDims, productOfDims } from '../../graph/dim.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, sameShape } from '../../tensor/shape.ts'
import { allocate, type Tensor } from '../../tensor/tensor.ts'
import type { Attributes, EvaluateContext, Op } from '../op.ts'
import { float, int, required, string, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { outputSize } from '../support/movement.ts'

const types: readonly TypeName[] = ['float16', 'bfloat16', 'float32']

export const LinearAttention: Op = {
  name: 'LinearAttention',
  doc: 'Attention without softmax, as a recurrence with optional decay and delta rule.',
  versions: {
    27: {
      inputs: ['query: T', 'key: T', 'value: T', 'past_state?: S', 'decay?: T', 'beta?: T'],
      outputs: ['output: T', 'present_state: S'],
      types: { T: types, S: types },
      attributes: {
        chunk_size: int(64),
        kv_num_heads: required('int'),
        q_num_heads: required('int'),
        scale: float(0),
        update_rule: string('gated_delta'),
      },
    },
  },
  infer(c) {
    const { heads, states } = readRule(c.attributes)
    const [q, k, v] = [c.shape(0), c.shape(1), c.shape(2)]
    const [batch, steps] = q ?? [null, null]
    const size = k ? floorDivideDims(k[2] ?? null, states) : floorDivideDims(q?.[2] ?? null, heads)
    const valueSize = floorDivideDims(v?.[2] ?? null, states)
    return [
      typed(c.dtype(0), [batch ?? null, steps ?? null, multiplyDims(heads, valueSize)]),
      typed(c.hasInput(3) ? c.dtype(3) : c.dtype(0), [batch ?? null, states, size, valueSize]),
    ].slice(0, c.outputCount)
  },
  macs(c) {
    const { heads, states, delta } = readRule(c.attributes)
    const [q, k, v] = [c.shape(0), c.shape(1), c.shape(2)]
    if (q?.length !== 3 || k?.length !== 3 || v?.length !== 3) return null
    const state = multiplyDims(floorDivideDims(k[2]!, states), floorDivideDims(v[2]!, states))
    const uses = addDims(heads, delta ? 2 * states : states)
    return productOfDims([q[0]!, q[1]!, state, uses])
  },
  evaluate(c) {
    const rule = readRule(c.attributes)
    const { heads, states, gated, delta } = rule
    const { batch, steps, size, valueSize } = readExtents(c, rule)
    const [q, k, v] = [numbers(c.tensor(0)), numbers(c.tensor(1)), numbers(c.tensor(2))]
    const decay = gated ? perHead(c, 4, 'decay', [batch, steps], [states, states * size]) : undefined
    const beta = delta ? perHead(c, 5, 'beta', [batch, steps], [states, 1]) : undefined
    const past = c.optionalTensor(3)
    const stateShape = [batch, states, size, valueSize]
    if (past !== undefined && !sameShape(past.shape, stateShape))
      throw new EspalierError('bad-shape', 'the past state does not fit', {
        expected: formatShape(stateShape),
        got: formatShape(past.shape),
      })
    const state = past ? numbers(past).slice() : allocate('float64', outputSize('float64', stateShape))
    const scale = c.attributes.float('scale') || 1 / Math.sqrt(size)
    const y = allocate('float64', outputSize('float64', [batch, steps, heads, valueSize]))
    const written = new Float64Array(valueSize)
    const group = heads / states
    for (let n = 0; n < batch; n++)
      for (let t = 0; t < steps; t++) {
        const step = n * steps + t
        for (let h = 0; h < states; h++) {
          const own = state.subarray(
            (n * states + h) * size * valueSize,
            (n * states + h + 1) * size * valueSize,
          )
          const key = k.subarray((step * states + h) * size, (step * states + h + 1) * size)
          if (decay !== undefined)
            for (let i = 0; i < size; i++) {
              const factor = Math.exp(decay.at(step, h, i, size))
              for (let j = 0; j < valueSize; j++) own[i * valueSize + j]! *= factor
            }
          const value = (step * states + h) * valueSize
          written.set(v.subarray(value, value + valueSize))
          if (beta !== undefined) {
            addRows(written, own, key, -1)
            for (let j = 0; j < valueSize; j++) written[j]! *= beta.at(step, h, 0, 1)
          }
          for (let i = 0; i < size; i++)
            for (let j = 0; j < valueSize; j++) own[i * valueSize + j]! += key[i]! * written[j]!
          for (let g = h * group; g < (h + 1) * group; g++) {
            const query = q.subarray((step * heads + g) * size, (step * heads + g + 1) * size)
            const at = (step * heads + g) * valueSize
            addRows(y.subarray(at, at + valueSize), own, query, scale)
          }
        }
      }
    return [
      fromNumbers(c.tensor(0).dtype, [batch, steps, heads * valueSize], y),
      fromNumbers(past?.dtype ?? c.tensor(0).dtype, stateShape, state),
    ].slice(0, c.outputCount)
  },
}

/** y += factor * matrix^T vector, with `matrix` [vector.length, y.length]. */
function addRows(y: Float64Array, matrix: Float64Array, vector: Float64Array, factor: number): void {
  for (let i = 0; i < vector.length; i++) {
    const weight = factor * vector[i]!
    for (let j = 0; j < y.length; j++) y[j]! += weight * matrix[i * y.length + j]!
  }
}

interface Rule {
  /** Heads of queries, and heads that have a state. */
  readonly heads: number
  readonly states: number
  readonly gated: boolean
  readonly delta: boolean
}

function readRule(attributes: Attributes): Rule {
  const [heads, states] = [attributes.int('q_num_heads'), attributes.int('kv_num_heads')]
  if (heads < 1 || states < 1 || heads % states !== 0)
    throw new EspalierError('bad-argument', 'the numbers of heads do not fit', {
      where: { field: 'q_num_heads' },
      expected: 'a multiple of kv_num_heads, both positive',
      got: `${heads} and ${states}`,
    })
  const rule = attributes.string('update_rule')
  if (!['linear', 'gated', 'delta', 'gated_delta'].includes(rule))
    throw new EspalierError('bad-argument', 'unknown update rule', {
      where: { field: 'update_rule' },
      expected: 'linear, gated, delta or gated_delta',
      got: rule,
    })
  return { heads, states, gated: rule.startsWith('gated'), delta: rule.endsWith('delta') }
}

interface Extents {
  readonly batch: number
  readonly steps: number
  /** Elements of a query and of a key, and of a value, of one head. */
  readonly size: number
  readonly valueSize: number
}

function readExtents(c: EvaluateContext, { heads, states }: Rule): Extents {
  const shapes = [c.tensor(0).shape, c.tensor(1).shape, c.tensor(2).shape]
  const [q, k, v] = shapes as [number[], number[], number[]]
  const [batch, steps, all] = q as [number, number, number]
  const fits =
    shapes.every(shape => shape.length === 3 && shape[0] === batch && shape[1] === steps) &&
    all % heads === 0 &&
    k[2] === (all / heads) * states &&
    v[2]! % states === 0
  if (fits) return { batch, steps, size: all / heads, valueSize: v[2]! / states }
  throw new EspalierError('bad-shape', 'query, key and value do not fit each other', {
    expected: `[batch, steps, ${heads} heads], [batch, steps, ${states} heads] twice; one size of keys`,
    got: shapes.map(shape => formatShape(shape)).join(', '),
  })
}

/** A number for each step, and for each head or each place in a head. */
interface PerHead {
  at(step: number, head: number, place: number, size: number): number
}

/**
 * Reads `decay` or `beta` [batch, steps, width] of one of the `widths` allowed; the first is one number a
 * head.
 */
function perHead(
  c: EvaluateContext,
  index: number,
  name: string,
  lead: readonly number[],
  [heads, other]: readonly [number, number],
): PerHead {
  const source: Tensor = c.tensor(index)
  const width = source.shape.at(-1)
  if (!sameShape(source.shape, [...lead, heads]) && !sameShape(source.shape, [...lead, other]))
    throw new EspalierError('bad-shape', `"${name}" does not fit`, {
      expected: `${formatShape([...lead, heads])} or ${formatShape([...lead, other])}`,
      got: formatShape(source.shape),
    })
  const values = numbers(source)
  if (width === heads) return { at: (step, head) => values[step * heads + head]! }
  if (other === 1) return { at: step => values[step]! }
  return { at: (step, head, place, size) => values[(step * heads + head) * size + place]! }
}
