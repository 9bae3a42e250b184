/**
 * Places the arena's buffers: each lives from the first step that touches it to the last, and buffers that live at the
 * same time must not overlap. Largest first, each at the lowest offset that is free for its whole life: close to the
 * lower bound (the most that lives at once) on networks, and quick. An element-wise step whose input nobody reads
 * afterwards writes where it lies.
 */
import { canShareMemory } from './merge-elementwise.ts'
import { type Buffer, type HostStep, operandsOf, type Step, touched } from './step.ts'

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
  const shared = shareMemory(steps, lives)
  const offsets = new Map<Buffer, number>()
  const placed: Life[] = []
  let bytes = 0
  for (const life of [...lives.values()].sort((a, b) => b.size - a.size || a.first - b.first)) {
    const offset = lowestFree(life, placed, offsets)
    offsets.set(life.buffer, offset)
    placed.push(life)
    bytes = Math.max(bytes, offset + life.size)
  }
  for (const [buffer, host] of shared) offsets.set(buffer, offsets.get(host)!)
  return { bytes, offsets }
}

/** Outputs that are written over an input, with the buffer that has the place; their lives become one. */
function shareMemory(steps: readonly (Step | HostStep)[], lives: Map<Buffer, Life>): Map<Buffer, Buffer> {
  const hosts = new Map<Buffer, Buffer>()
  for (const [index, step] of steps.entries()) {
    if (step.kind !== 'elementwise') continue
    const operands = operandsOf(step).filter(({ operand }) => operand.buffer.space === 'arena')
    const output = operands.find(({ kind }) => kind === 'out')?.operand.buffer
    const own = output && lives.get(output)
    if (own === undefined || own.first !== index) continue
    for (const { kind, operand } of operands) {
      const host = hosts.get(operand.buffer) ?? operand.buffer
      const life = lives.get(host)
      if (kind === 'out' || life?.last !== index || life.buffer.bytes < own.buffer.bytes) continue
      if (!canShareMemory(step, operand.buffer)) continue
      life.last = own.last
      lives.delete(own.buffer)
      hosts.set(own.buffer, host)
      break
    }
  }
  return hosts
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

/** The least multiple of {@link alignment} that holds so many bytes; something even for none. */
export function roundUp(bytes: number): number {
  return Math.ceil(Math.max(bytes, 1) / alignment) * alignment
}
