/**
 * Where threads must meet: before a step that touches memory which an earlier step, since the last meeting, has
 * written, or that writes what one has read. Threads split every step by their own rule, so that nothing weaker would
 * do; steps that have nothing to do with each other run on without waiting.
 */
import type { Place } from './encode.ts'
import { isRead, isWritten } from './fields.ts'
import { type Buffer, operandsOf, type Step } from './step.ts'

interface Range {
  readonly space: number
  readonly start: number
  readonly end: number
}

/** For every step, whether threads meet before it. */
export function placeBarriers(steps: readonly Step[], placeOf: (buffer: Buffer) => Place): boolean[] {
  let reads: Range[] = []
  let writes: Range[] = []
  return steps.map((step, index) => {
    const operands = operandsOf(step).map(({ kind, operand: { buffer } }) => {
      // The whole buffer: how far a kernel reaches from an offset is its own business.
      const { space, offset } = placeOf(buffer)
      return { kind, range: { space, start: offset, end: offset + buffer.bytes } }
    })
    const reading = operands.filter(({ kind }) => isRead(kind)).map(({ range }) => range)
    const writing = operands.filter(({ kind }) => isWritten(kind)).map(({ range }) => range)
    const needed =
      index > 0 && (overlap(reading, writes) || overlap(writing, writes) || overlap(writing, reads))
    if (needed) [reads, writes] = [[], []]
    reads.push(...reading)
    writes.push(...writing)
    return needed
  })
}

function overlap(some: readonly Range[], others: readonly Range[]): boolean {
  return some.some(a => others.some(b => a.space === b.space && a.start < b.end && b.start < a.end))
}
