/** Window geometry against its definition, position by position. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluateDim } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import {
  type WindowAxis,
  type WindowSettings,
  windowAxes,
  windowCounts,
  windowOutputs,
  windowRuns,
} from './window.ts'

const settingsOf = (given: Partial<WindowSettings>): WindowSettings => ({
  kernel: [3],
  strides: [1],
  dilations: [1],
  padding: [0, 0],
  ceil: false,
  ...given,
})

const axis = fc
  .record({
    input: fc.integer({ min: 1, max: 9 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 3 }),
    before: fc.integer({ min: 0, max: 3 }),
    after: fc.integer({ min: 0, max: 3 }),
  })
  .filter(a => a.input + a.before + a.after >= (a.kernel - 1) * a.dilation + 1)

function axesOf(list: readonly Omit<WindowAxis, 'output'>[], ceil: boolean): WindowAxis[] {
  const settings: WindowSettings = {
    kernel: list.map(a => a.kernel),
    strides: list.map(a => a.stride),
    dilations: list.map(a => a.dilation),
    padding: [...list.map(a => a.before), ...list.map(a => a.after)],
    ceil,
  }
  return windowAxes(
    settings,
    list.map(a => a.input),
  )
}

/** Every (output, kernel element, input) of one axis, padding left out. */
function meetings({ input, output, kernel, stride, dilation, before }: WindowAxis): number[][] {
  const found: number[][] = []
  for (let k = 0; k < kernel; k++)
    for (let o = 0; o < output; o++) {
      const i = o * stride - before + k * dilation
      if (i >= 0 && i < input) found.push([o, k, i])
    }
  return found
}

describe('output extents', () => {
  test.each<[string, Partial<WindowSettings>, number, number]>([
    ['floor', { strides: [2] }, 6, 2],
    ['ceil', { strides: [2], ceil: true }, 6, 3],
    [
      'a last window that starts in the trailing padding is left out',
      { kernel: [1], strides: [3], padding: [0, 2], ceil: true },
      4,
      2,
    ],
    [
      'a last window may start in the leading padding',
      { kernel: [2], strides: [3], padding: [2, 0], ceil: true },
      1,
      1,
    ],
    ['dilation', { kernel: [2], dilations: [3] }, 7, 4],
    ['SAME', { padding: 'SAME_UPPER', strides: [2] }, 5, 3],
    ['SAME of nothing', { padding: 'SAME_LOWER' }, 0, 0],
  ])('%s', (_, given, input, output) => {
    expect(windowOutputs(settingsOf(given), [input])).toEqual([output])
  })

  test('padding for SAME is split with the odd element at the end or at the beginning', () => {
    const [upper] = windowAxes(settingsOf({ padding: 'SAME_UPPER', kernel: [4] }), [5])
    const [lower] = windowAxes(settingsOf({ padding: 'SAME_LOWER', kernel: [4] }), [5])
    expect([upper!.before, upper!.after, lower!.before, lower!.after]).toEqual([1, 2, 2, 1])
    const [apart] = windowAxes(settingsOf({ padding: 'SAME_UPPER', kernel: [1], strides: [3] }), [6])
    expect([apart!.before, apart!.after, apart!.output]).toEqual([0, 0, 2])
  })

  test('symbolic extents agree with numbers', () => {
    fc.assert(
      fc.property(axis, fc.boolean(), (a, ceil) => {
        const settings = settingsOf({
          kernel: [a.kernel],
          strides: [a.stride],
          dilations: [a.dilation],
          padding: [a.before, a.after],
          ceil,
        })
        const symbolic = windowOutputs(settings, ['n'])[0] as Dim
        expect(evaluateDim(symbolic, new Map([['n', a.input]]))).toBe(windowOutputs(settings, [a.input])[0])
      }),
    )
    expect(windowOutputs(settingsOf({ strides: [2], padding: [1, 1] }), ['h'])).toEqual(['floordiv(h-1,2)+1'])
    expect(windowOutputs(settingsOf({ padding: 'SAME_UPPER' }), ['h'])).toEqual(['h'])
    expect(windowOutputs(settingsOf({ kernel: [null] }), [8])).toEqual([null])
  })

  test('a window that does not fit is an error', () => {
    for (const ceil of [false, true])
      expect(() => windowOutputs(settingsOf({ kernel: [9], ceil }), [4])).toThrow(
        expect.objectContaining({ code: 'bad-shape', expected: 'at least 9 elements', got: '4' }),
      )
  })
})

describe('runs and counts', () => {
  test('runs are all meetings of kernel and input, each once, output by output and tap by tap', () => {
    fc.assert(
      fc.property(fc.array(axis, { minLength: 1, maxLength: 3 }), fc.boolean(), (list, ceil) => {
        const axes = axesOf(list, ceil)
        let wanted = [[0, 0, 0]]
        for (const a of axes)
          wanted = wanted.flatMap(([o, k, i]) =>
            meetings(a).map(([p, l, j]) => [o! * a.output + p!, k! * a.kernel + l!, i! * a.input + j!]),
          )
        const runs = windowRuns(axes)
        const got: number[][] = []
        for (let tap = 0; tap < runs.taps; tap++)
          for (let r = runs.first[tap]!; r < runs.first[tap + 1]!; r++)
            for (let j = 0; j < runs.length[tap]!; j++)
              got.push([runs.output[r]! + j, tap, runs.input[r]! + j * runs.step[tap]!])
        const order = (a: number[], b: number[]): number => a[1]! - b[1]! || a[0]! - b[0]!
        expect(got.sort(order)).toEqual(wanted.sort(order))
      }),
    )
  })

  test('rows without a gap between them are one run', () => {
    const point = { input: 6, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 }
    expect(windowRuns(axesOf([point, point], false)).first).toEqual(Int32Array.of(0, 1))
    const column = windowRuns(
      axesOf(
        [
          { ...point, stride: 2 },
          { ...point, input: 1 },
        ],
        false,
      ),
    )
    expect([column.first, column.length, column.step]).toEqual(
      [[0, 1], [3], [2]].map(list => Int32Array.from(list)),
    )
  })

  test('counts with and without padding; what ceil mode reaches beyond it never counts', () => {
    fc.assert(
      fc.property(axis, fc.boolean(), fc.boolean(), (a, ceil, padded) => {
        const [only] = axesOf([a], ceil)
        const [from, to] = padded ? [-a.before, a.input + a.after] : [0, a.input]
        const wanted = Array.from({ length: only!.output }, (_, o) => {
          const taps = Array.from({ length: a.kernel }, (__, k) => o * a.stride - a.before + k * a.dilation)
          return taps.filter(position => position >= from && position < to).length
        })
        expect(Array.from(windowCounts([only!], padded))).toEqual(wanted)
      }),
    )
  })

  test('an absurd window is refused', () => {
    const huge = { input: 1, kernel: 2 ** 30, stride: 1, dilation: 1, before: 2 ** 30, after: 0 }
    expect(() => windowRuns(axesOf([huge], false))).toThrow(expect.objectContaining({ code: 'too-large' }))
  })
})
