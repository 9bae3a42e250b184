/**
 * Places the arena's buffers: each lives from the first step that touches it to the last, and buffers that live at the
 * same time must not overlap. Largest first, each at the lowest offset that is free for its whole life: close to the
 * lower bound (the most that lives at once) on networks, and quick.
 */
import { type Buffer, type HostStep, type Operand, operandsOf, type Step } from './step.ts'

/** Offsets are multiples of this many bytes: a cache line, and the longest vector. */
export const alignment = 64

export interface Arena {
  readonly bytes: number
  /** Offset of every arena buffer, in bytes. */
  readonly offsets: ReadonlyMap<Buffer, number>
}

interface Life {
  readonly buffer: Buffer
  readonly size: number
  first: number
  last: number
}

/** Gives every arena buffer in `steps` an offset. */
export function placeBuffers(steps: readonly (Step | HostStep)[]): Arena {
  const lives = new Map<Buffer, Life>()
  steps.forEach((step, index) => {
    for (const { buffer } of touched(step)) {
      if (buffer.space !== 'arena') continue
      const life = lives.get(buffer)
      if (life) life.last = index
      else lives.set(buffer, { buffer, size: roundUp(buffer.bytes), first: index, last: index })
    }
  })
  const offsets = new Map<Buffer, number>()
  const placed: Life[] = []
  let bytes = 0
  for (const life of [...lives.values()].sort((a, b) => b.size - a.size || a.first - b.first)) {
    const offset = lowestFree(life, placed, offsets)
    offsets.set(life.buffer, offset)
    placed.push(life)
    bytes = Math.max(bytes, offset + life.size)
  }
  return { bytes, offsets }
}

/** The operands of a step, host steps too. */
export function touched(step: Step | HostStep): readonly Operand[] {
  if (step.kind !== 'host') return operandsOf(step).map(({ operand }) => operand)
  const inputs = step.inputs.flatMap(({ source }) => ('operand' in source ? [source.operand] : []))
  return [...inputs, ...step.outputs.map(({ operand }) => operand)]
}

function lowestFree(life: Life, placed: readonly Life[], offsets: ReadonlyMap<Buffer, number>): number {
  const taken = placed
    .filter(other => other.first <= life.last && life.first <= other.last)
    .map(other => ({ start: offsets.get(other.buffer)!, end: offsets.get(other.buffer)! + other.size }))
    .sort((a, b) => a.start - b.start)
  let offset = 0
  for (const { start, end } of taken) {
    if (start - offset >= life.size) break
    offset = Math.max(offset, end)
  }
  return offset
}

function roundUp(bytes: number): number {
  return Math.ceil(Math.max(bytes, 1) / alignment) * alignment
}
