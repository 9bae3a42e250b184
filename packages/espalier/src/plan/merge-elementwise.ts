/**
 * Puts an element-wise step into the one that reads its result, where nothing else does: what lies between two
 * operators then never reaches memory, and a GELU spelled out in five operators is one pass. Both must run over equally
 * many elements in the same order; something small that is broadcast in the reader stays apart, since it would be
 * computed again for every repetition.
 */
import { type Storage, storages } from './elementwise/instructions.ts'
import {
  type Computation,
  collapse,
  decodeComputation,
  encodeComputation,
  type InputLeaf,
  leavesOf,
  mapLeaves,
} from './elementwise/program.ts'
import { isRead, isWritten } from './fields.ts'
import { type Buffer, type HostStep, makeStep, operandsOf, type Step, touched } from './step.ts'

type AnyStep = Step | HostStep

/** The steps with chains of element-wise ones merged. `isOutput` says what is read after the last step. */
export function mergeElementwise(
  steps: readonly AnyStep[],
  isOutput: (buffer: Buffer) => boolean,
): readonly AnyStep[] {
  const result: (AnyStep | undefined)[] = [...steps]
  const users = usersOf(steps)
  for (const [index, step] of steps.entries()) {
    if (step.kind !== 'elementwise') continue
    let current: Step = step
    for (;;) {
      const found = mergeInto(current, index, result, users, isOutput)
      if (found === undefined) break
      for (const { buffer } of touched(result[found.producer]!)) {
        users.get(buffer)!.delete(found.producer)
        users.get(buffer)!.add(index)
      }
      result[found.producer] = undefined
      result[index] = current = found.step
    }
  }
  return result.filter(step => step !== undefined)
}

/** Whether `step` may write its output where `input` lies: what it reads there it reads before, element by element. */
export function canShareMemory(step: Step, input: Buffer): boolean {
  if (step.kind !== 'elementwise') return false
  const { shape, root, y, storage } = decodeComputation(step)
  const leaves = leavesOf(root).filter(leaf => leaf.operand.buffer === input)
  return (
    leaves.length > 0 &&
    y.buffer !== input &&
    y.offset === 0 &&
    leaves.every(
      leaf =>
        leaf.operand.offset === 0 &&
        bytesOf(leaf.storage) === bytesOf(storage) &&
        isContiguous(leaf.strides, shape),
    )
  )
}

function usersOf(steps: readonly AnyStep[]): Map<Buffer, Set<number>> {
  const users = new Map<Buffer, Set<number>>()
  steps.forEach((step, index) => {
    for (const { buffer } of touched(step)) {
      const set = users.get(buffer) ?? new Set()
      users.set(buffer, set.add(index))
    }
  })
  return users
}

function mergeInto(
  reader: Step,
  index: number,
  steps: readonly (AnyStep | undefined)[],
  users: ReadonlyMap<Buffer, ReadonlySet<number>>,
  isOutput: (buffer: Buffer) => boolean,
): { readonly producer: number; readonly step: Step } | undefined {
  const consumer = decodeComputation(reader)
  for (const leaf of leavesOf(consumer.root)) {
    const { buffer } = leaf.operand
    const using = [...users.get(buffer)!]
    if (using.length !== 2 || buffer.space !== 'arena' || isOutput(buffer)) continue
    const producer = Math.min(...using)
    const writer = steps[producer]
    if (producer === index || writer?.kind !== 'elementwise') continue
    if (writesBetween(steps, producer, index, writer)) continue
    const merged = substitute(decodeComputation(writer), consumer, buffer)
    const values = merged && encodeComputation(merged)
    if (values === undefined || typeof values === 'string') continue
    return { producer, step: makeStep('elementwise', values, [...writer.origin, ...reader.origin]) }
  }
  return undefined
}

/** Whether a step between two others changes what `writer` reads, so that it cannot run later. */
function writesBetween(
  steps: readonly (AnyStep | undefined)[],
  first: number,
  last: number,
  writer: Step,
): boolean {
  const read = new Set(
    operandsOf(writer).flatMap(({ kind, operand }) => (isRead(kind) ? [operand.buffer] : [])),
  )
  for (let i = first + 1; i < last; i++) {
    const step = steps[i]
    if (step === undefined) continue
    const written =
      step.kind === 'host'
        ? step.outputs.map(({ operand }) => operand)
        : operandsOf(step).flatMap(({ kind, operand }) => (isWritten(kind) ? [operand] : []))
    if (written.some(({ buffer }) => read.has(buffer))) return true
  }
  return false
}

/** The consumer with the producer in the place of its result; `undefined` where their elements do not correspond. */
function substitute(producer: Computation, consumer: Computation, buffer: Buffer): Computation | undefined {
  // A 16-bit float is rounded when it is stored; in a register it is not.
  if (producer.storage === 'float16' || producer.storage === 'bfloat16' || producer.y.buffer !== buffer)
    return undefined
  const isResult = (leaf: InputLeaf): boolean => leaf.operand.buffer === buffer
  const corresponds = leavesOf(consumer.root)
    .filter(isResult)
    .every(
      leaf =>
        leaf.operand.offset === producer.y.offset &&
        leaf.storage === producer.storage &&
        isContiguous(leaf.strides, consumer.shape),
    )
  const shape = corresponds ? commonShape(producer.shape, consumer.shape) : undefined
  if (shape === undefined) return undefined
  const [inner, outer] = [refine(producer, shape), refine(consumer, shape)]
  const root = mapLeaves(outer.root, leaf => (isResult(leaf) ? inner.root : leaf))
  return collapse({ ...outer, root })
}

/** Whether strides walk through memory in the order of `shape`. */
function isContiguous(strides: readonly number[], shape: readonly number[]): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue
    if (strides[axis] !== expected) return false
    expected *= shape[axis]!
  }
  return true
}

/** The coarsest shape that both can be split to, axis by axis; `undefined` where there is none. */
function commonShape(a: readonly number[], b: readonly number[]): number[] | undefined {
  const [ends, others] = [suffixProducts(a), suffixProducts(b)]
  if (ends.at(-1) !== others.at(-1) || ends.at(-1) === 0) return undefined
  const all = [...new Set([1, ...ends, ...others])].sort((x, y) => x - y)
  const shape = all.slice(1).map((end, i) => end / all[i]!)
  return shape.every(Number.isInteger) ? shape.reverse() : undefined
}

function suffixProducts(shape: readonly number[]): number[] {
  const products = [1]
  for (const extent of [...shape].reverse()) products.push(products.at(-1)! * extent)
  return products
}

/** The computation over `shape`, which splits axes of its own. */
function refine(computation: Computation, shape: readonly number[]): Computation {
  // From the last axis back: which axis of the computation each one is part of, and how far it steps there.
  const parts: { axis: number; step: number }[] = []
  let axis = computation.shape.length - 1
  let step = 1
  for (const extent of [...shape].reverse()) {
    while (axis >= 0 && step === computation.shape[axis]) [axis, step] = [axis - 1, 1]
    parts.unshift({ axis, step })
    step *= extent
  }
  const root = mapLeaves(computation.root, leaf => ({
    ...leaf,
    strides: parts.map(part => leaf.strides[part.axis]! * part.step),
  }))
  return { ...computation, shape, root }
}

function bytesOf(storage: Storage): number {
  return storages[storage][1]
}
