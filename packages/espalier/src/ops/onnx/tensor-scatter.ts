/** Writing an update into a cache along its sequence axis. */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape, normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { allTypes24, int, string } from '../schema.ts'
import { sameAsFirst } from '../support/infer.ts'
import { listOf } from '../support/integers.ts'
import { cellsOf, copyCells, copyRun, tensorOfCells } from '../support/movement.ts'

export const TensorScatter: Op = {
  name: 'TensorScatter',
  doc: 'The cache with `update` written along `axis`, from `write_indices` on, for each batch entry.',
  versions: {
    24: {
      inputs: ['past_cache: T', 'update: T', 'write_indices?: int64'],
      outputs: ['present_cache: T'],
      types: { T: allTypes24 },
      attributes: { axis: int(-2), mode: string('linear', ['linear', 'circular']) },
    },
  },
  infer(c) {
    const [cache, update] = [c.shape(0), c.shape(1)]
    if (cache !== undefined && update !== undefined) sequenceAxis(cache, update, c.attributes.int('axis'))
    return sameAsFirst(c)
  },
  evaluate(c) {
    const [cache, update] = [c.tensor(0), c.tensor(1)]
    const axis = sequenceAxis(cache.shape, update.shape, c.attributes.int('axis'))
    const [room, steps] = [cache.shape[axis]!, update.shape[axis]!]
    const batch = cache.shape[0]!
    const given = c.optionalTensor(2)
    const starts = given === undefined ? new Array<number>(batch).fill(0) : listOf(given, 'write_indices')
    const circular = c.attributes.string('mode') === 'circular'
    checkStarts(starts, batch, circular ? Number.POSITIVE_INFINITY : room - steps)
    const cells = copyCells(cache)
    const from = cellsOf(update)
    const perEntry = sizeOf(cache.shape.slice(1, axis))
    const run = sizeOf(cache.shape.slice(axis + 1))
    for (let row = 0; row < batch * perEntry; row++) {
      const start = starts[Math.floor(row / perEntry)]!
      for (let step = 0; step < steps; step++)
        copyRun(cells, (row * room + ((start + step) % room)) * run, from, (row * steps + step) * run, run)
    }
    return [tensorOfCells(cells, cache.shape)]
  },
}

/** The sequence axis, in which alone cache and update may differ. */
function sequenceAxis(cache: readonly Dim[], update: readonly Dim[], axis: number): number {
  const at = normalizeAxis(axis, cache.length)
  if (at === 0) throw new EspalierError('bad-argument', 'the batch axis cannot be the sequence axis')
  const fits =
    cache.length === update.length &&
    cache.every((extent, other) => {
      const written = update[other]!
      if (other !== at) return !differentDims(extent, written)
      return typeof extent !== 'number' || typeof written !== 'number' || written <= extent
    })
  if (fits) return at
  throw new EspalierError('bad-shape', `the update does not fit the cache along axis ${at}`, {
    expected: `at most ${formatShape(cache)}`,
    got: formatShape(update),
  })
}

function checkStarts(starts: readonly number[], batch: number, last: number): void {
  if (starts.length === batch && starts.every(start => start >= 0 && start <= last)) return
  throw new EspalierError('bad-argument', 'the update does not fit where it is to be written', {
    where: { field: 'write_indices' },
    expected: `${batch} numbers from 0 to ${last}`,
    got: `[${starts.join(', ')}]`,
  })
}
