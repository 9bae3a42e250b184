import { expect, test } from 'vitest'
import { plateausOf, remarksOf } from './plateaus.mjs'

const curve = (...pairs) => pairs.map(([sparsity, gain]) => ({ sparsity, milliseconds: 10 / gain, gain }))

test('a time that follows the work has no plateau, nor has one that falls slowly', () => {
  expect(plateausOf(curve([0, 0.5], [0.5, 1], [0.8, 2.5], [0.9, 5], [0.95, 10], [0.99, 10]))).toEqual([])
  expect(plateausOf(curve([0.5, 1], [0.7, 1.2], [0.8, 1.4], [0.9, 1.6]))).toEqual([])
})

test('flat parts are found, joined, and only where they pay and below 95 %', () => {
  const flat = [
    ...[
      [0, 0.5],
      [0.3, 0.5],
      [0.5, 1],
      [0.7, 2],
      [0.8, 2.02],
      [0.9, 2.03],
      [0.95, 4],
      [0.98, 4],
      [0.99, 4],
    ],
  ]
  expect(plateausOf(curve(...flat))).toEqual([{ from: 0.7, to: 0.9 }])
})

test('neighbours that are close are compared with one further away', () => {
  expect(plateausOf(curve([0.5, 1], [0.55, 1], [0.65, 1.3], [0.75, 1.8]))).toEqual([])
})

test('remarks say where, of which curve', () => {
  const swept = (series, ...pairs) => ({
    layer: 'a layer',
    series,
    points: curve(...pairs).map(point => ({ ...point, pattern: 'unstructured' })),
  })
  const single = { layer: 'a layer', series: 'N:M', points: [{ pattern: '2:4' }, { pattern: '1:4' }] }
  const curves = [
    swept('good', [0.5, 1], [0.75, 2]),
    swept('flat', [0.5, 1], [0.75, 1]),
    swept('slow', [0.5, 0.5], [0.75, 0.9]),
    { ...single, series: 'none', points: [] },
    single,
  ]
  expect(remarksOf({ name: 'here', curves })).toEqual([
    'here, a layer, flat: hardly quicker at 75 % than at 50 %',
    'here, a layer, slow: never quicker than dense, at most 0.90 of its speed',
  ])
})
