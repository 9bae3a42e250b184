/** Strings cut at a delimiter, or at whitespace; every string's parts are padded to the same number. */
import { tensorType } from '../../graph/graph.ts'
import { strings } from '../../tensor/elements.ts'
import { int64, reshape, tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { optional } from '../schema.ts'

export const StringSplit: Op = {
  name: 'StringSplit',
  doc: 'Parts of every string between delimiters, padded with empty strings along a new last axis, and their numbers.',
  versions: {
    20: {
      inputs: ['X: T1'],
      outputs: ['Y: T2', 'Z: T3'],
      types: { T1: ['string'], T2: ['string'], T3: ['int64'] },
      attributes: { delimiter: optional('string'), maxsplit: optional('int') },
    },
  },
  infer(c) {
    const shape = c.shape(0)
    return [tensorType('string', shape && [...shape, null]), tensorType('int64', shape)]
  },
  evaluate(c) {
    const x = c.tensor(0)
    const delimiter = c.attributes.optionalString('delimiter') ?? ''
    const most = c.attributes.optionalInt('maxsplit') ?? -1
    const splits = most < 0 ? Number.POSITIVE_INFINITY : most
    const parts = strings(x).map(text =>
      delimiter === '' ? splitAtSpace(text, splits) : splitAt(text, delimiter, splits),
    )
    const width = parts.reduce((widest, list) => Math.max(widest, list.length), 0)
    const padded = parts.flatMap(list => [...list, ...new Array<string>(width - list.length).fill('')])
    const counts = int64(parts.map(list => list.length))
    return [tensor('string', [...x.shape, width], padded), reshape(counts, x.shape)]
  },
}

/** At most `splits` cuts, from the left; the last part keeps the rest. */
function splitAt(text: string, delimiter: string, splits: number): string[] {
  const parts = text.split(delimiter)
  if (parts.length - 1 <= splits) return parts
  return [...parts.slice(0, splits), parts.slice(splits).join(delimiter)]
}

const space = /\p{White_Space}+/gu

/** Cuts at runs of whitespace; none is left at the ends, not even of the rest. */
function splitAtSpace(text: string, splits: number): string[] {
  const trimmed = text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '')
  if (trimmed === '') return []
  const parts: string[] = []
  let start = 0
  for (const { index, 0: gap } of trimmed.matchAll(space)) {
    if (parts.length >= splits) break
    parts.push(trimmed.slice(start, index))
    start = index + gap.length
  }
  return [...parts, trimmed.slice(start)]
}
