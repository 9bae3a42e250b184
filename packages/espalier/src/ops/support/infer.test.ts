import { describe, expect, test } from 'vitest'
import { broadcastDims } from './infer.ts'

describe('broadcastDims', () => {
  test.each([
    [
      [
        ['n', 1, 3],
        [4, 1],
      ],
      ['n', 4, 3],
    ],
    [[['n'], ['n']], ['n']],
    [[['n'], ['m']], [null]],
    [[['n'], [5]], [5]],
    [[[null], [5], [1]], [5]],
    [[[null], [1]], [null]],
    [[['2*n'], ['n+n']], ['2*n']],
    [[[0], [1]], [0]],
    [[[], []], []],
    [[[3], undefined], undefined],
  ] as const)('%j gives %j', (shapes, wanted) => {
    expect(broadcastDims(...shapes)).toEqual(wanted)
  })
  test('refuses only what cannot fit in any run', () => {
    expect(() => broadcastDims([2, 3], ['n', 4])).toThrow('shapes 2x3 and nx4 do not broadcast')
    expect(broadcastDims(['n', 3], ['n+1', 1])).toEqual([null, 3])
  })
})
