/**
 * When outputs count as equal: every element within 1e-4 of the wanted one, relative to it, or within 1e-6 of the
 * tensor's largest magnitude. The second is for elements that are small because large ones cancel: onnxruntime
 * computes in float32, where they keep fewer correct digits. Integers and bools must be equal.
 */
import {
  dtypeInfo,
  isTensor,
  numbers,
  type RuntimeValue,
  sameTensor,
  type Tensor,
} from '../../src/tensor/index.ts'
import { formatShape } from '../../src/tensor/shape.ts'
import { firstDifference } from '../../src/tensor/testing.ts'

/** Tolerance relative to the element, and as a part of the largest magnitude. */
export const TOLERANCE = { relative: 1e-4, ofLargest: 1e-6 } as const

type Outputs = ReadonlyMap<string, RuntimeValue>

/** Where `got` differs from `wanted`, in words; empty when they agree. */
export function differences(got: Outputs, wanted: Outputs): string[] {
  return [...wanted].flatMap(([name, value]) => {
    const own = got.get(name)
    if (!isTensor(value) || !isTensor(own)) return [`${name}: absent, or not a tensor`]
    const found = describe(own) === describe(value) ? elementDifference(own, value) : `got ${describe(own)}`
    return found === undefined ? [] : [`${name}, ${describe(value)}: ${found}`]
  })
}

const describe = ({ dtype, shape }: Tensor): string => `${dtype} ${formatShape(shape)}`

function elementDifference(got: Tensor, wanted: Tensor): string | undefined {
  const exact = dtypeInfo(wanted.dtype).kind !== 'float'
  const absolute = exact ? 0 : TOLERANCE.ofLargest * largest(numbers(wanted))
  return firstDifference(got, wanted, { relative: TOLERANCE.relative, absolute })
}

/** The largest magnitude. */
export function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

/** Names of the values that are not the same to the bit. */
export function bitDifferences(got: Outputs, wanted: Outputs): string[] {
  return [...wanted.keys(), ...got.keys()].filter(name => {
    const [a, b] = [got.get(name), wanted.get(name)]
    return !isTensor(a) || !isTensor(b) || !sameTensor(a, b)
  })
}
