/** The older name of Resize: scales only, positions scaled from the corner. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { numbers } from '../../tensor/elements.ts'
import type { Shape } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { allTypes, required, type Schema, string } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { type Steering, steeredInRun, steering } from '../support/lower-movement.ts'
import { lowerResize } from '../support/lower-resize.ts'
import { type ResizedAxis, type ResizeSettings, resize, scaledExtent } from '../support/resizing.ts'

const mode = string('nearest', ['nearest', 'linear', 'bilinear', 'trilinear'])
const shared: Pick<Schema, 'outputs' | 'types'> = { outputs: ['Y: T'], types: { T: allTypes } }

export const Upsample: Op = {
  name: 'Upsample',
  doc: 'The input with its axes scaled by nearest or linear interpolation.',
  versions: {
    7: { inputs: ['X: T'], ...shared, attributes: { mode, scales: required('floats') } },
    9: { inputs: ['X: T', 'scales: float32'], ...shared, attributes: { mode } },
  },
  limits: 'strings in modes other than nearest',
  deprecated: 10,
  infer(c) {
    const shape = c.shape(0)
    const constant = c.version < 9 ? undefined : c.constant(1)
    const scales = c.version < 9 ? c.attributes.floats('scales') : constant && Array.from(numbers(constant))
    if (shape === undefined || scales === undefined)
      return [
        typed(
          c.dtype(0),
          shape?.map(() => null),
        ),
      ]
    return [typed(c.dtype(0), scaledShape(shape, scales))]
  },
  evaluate(c) {
    const x = c.tensor(0)
    return [resize(x, resizedAxes(c, x.shape), settingsOf(c))]
  },
  lower(c) {
    const steered = steering(c, 1)
    return steered === undefined
      ? steeredInRun
      : lowerResize(c, resizedAxes(steered, c.type(0).shape), settingsOf(steered))
  },
}

function resizedAxes(c: Steering, input: Shape): ResizedAxis[] {
  const scales = c.version < 9 ? c.attributes.floats('scales') : numbers(c.tensor(1))
  const shape = scaledShape(input, scales) as readonly number[]
  return input.map((extent, axis) => ({
    input: extent,
    output: shape[axis]!,
    scale: scales[axis]!,
    region: [0, 1],
  }))
}

function settingsOf({ attributes }: Steering): ResizeSettings {
  return {
    mode: attributes.string('mode') === 'nearest' ? 'nearest' : 'linear',
    coordinates: 'asymmetric',
    nearest: 'simple',
    cubicCoefficient: -0.75,
    excludeOutside: false,
    antialias: false,
    extrapolation: 0,
  }
}

function scaledShape(shape: readonly Dim[], scales: ArrayLike<number>): readonly Dim[] {
  if (scales.length !== shape.length)
    throw new EspalierError('bad-shape', 'there is not one scale for each axis', {
      expected: `${shape.length}`,
      got: `${scales.length}`,
    })
  return shape.map((extent, axis) => scaledExtent(extent, scales[axis]!))
}
