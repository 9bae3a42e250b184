import { describe, expect, test } from 'vitest'
import { infer } from '../../analysis/infer.ts'
import { type GraphBuilder, graphBuilder, type Handle } from '../../graph/builder.ts'
import type { Dim } from '../../graph/graph.ts'
import { float32, int64, zeros } from '../../tensor/tensor.ts'

/** What exporters write to compute shapes, on an input of `shape`: the extents of the value that `make` gives. */
function shapeAfter(
  shape: readonly Dim[],
  make: (g: GraphBuilder, x: Handle) => Handle,
): readonly Dim[] | undefined {
  const g = graphBuilder()
  const result = make(g, g.input('x', 'float32', shape))
  g.output(result)
  const type = infer(g.build()).types.get(result.name)
  return type?.kind === 'tensor' ? type.shape : undefined
}

const ints = (g: GraphBuilder, ...values: number[]): Handle => g.constant(int64(values))
const scalar = (g: GraphBuilder, value: number): Handle => g.constant(int64(value))
/** Extent `axis` of `x` as a scalar. */
const extent = (g: GraphBuilder, x: Handle, axis: number): Handle =>
  g.node('Gather', [g.node('Shape', [x]), scalar(g, axis)], { axis: 0 })
const list = (g: GraphBuilder, ...scalars: Handle[]): Handle =>
  g.node(
    'Concat',
    scalars.map(value => g.node('Unsqueeze', [value, ints(g, 0)])),
    { axis: 0 },
  )
/** A value whose shape is the contents of `shape`. */
const filled = (g: GraphBuilder, shape: Handle): Handle => g.node('ConstantOfShape', [shape])

describe('exporters compute shapes by', () => {
  test('gathering extents and joining them for a Reshape', () => {
    const merged = shapeAfter(['n', 12, 's', 64], (g, x) =>
      g.node('Reshape', [
        x,
        list(g, extent(g, x, 0), scalar(g, -1), g.node('Mul', [extent(g, x, 2), scalar(g, 64)])),
      ]),
    )
    expect(merged).toEqual(['n', 12, '64*s'])
    const split = shapeAfter(['n', 's', 768], (g, x) =>
      g.node('Reshape', [x, list(g, extent(g, x, 0), extent(g, x, 1), scalar(g, 12), scalar(g, -1))]),
    )
    expect(split).toEqual(['n', 's', 12, 64])
  })

  test('slicing a Shape', () => {
    const flat = shapeAfter(['n', 3, 'h', 'w'], (g, x) => {
      const spatial = g.node('Slice', [g.node('Shape', [x]), ints(g, 2), ints(g, 2 ** 31 - 1)])
      const size = g.node('ReduceProd', [spatial], { keepdims: 1 })
      return g.node('Reshape', [x, g.node('Concat', [ints(g, 0, 3), size], { axis: 0 })])
    })
    expect(flat).toEqual(['n', 3, 'h*w'])
    const backwards = shapeAfter(['a', 'b', 'c'], (g, x) =>
      filled(g, g.node('Slice', [g.node('Shape', [x]), ints(g, -1), ints(g, -9), ints(g, 0), ints(g, -2)])),
    )
    expect(backwards).toEqual(['c', 'a'])
  })

  test('splitting and squeezing a Shape', () => {
    const swapped = shapeAfter(['n', 'm', 4], (g, x) => {
      const [first, second] = g.nodes(
        'Split',
        [g.node('Shape', [x]), ints(g, 1, 2)],
        { axis: 0 },
        {
          outputs: ['head', 'tail'],
        },
      )
      const batch = g.node('Squeeze', [first!, ints(g, 0)])
      return filled(g, g.node('Concat', [second!, g.node('Unsqueeze', [batch, ints(g, 0)])], { axis: 0 }))
    })
    expect(swapped).toEqual(['m', 4, 'n'])
  })

  test('expanding where a wanted extent is -1', () => {
    const expanded = shapeAfter(['n', 1, 'd'], (g, x) => {
      const wanted = list(g, scalar(g, -1), extent(g, x, 2), scalar(g, -1))
      const shape = g.node('Shape', [wanted])
      const ones = g.node('ConstantOfShape', [shape], { value: int64([1]) })
      const minus = g.node('Mul', [ones, scalar(g, -1)])
      return g.node('Expand', [x, g.node('Where', [g.node('Equal', [wanted, minus]), ones, wanted])])
    })
    expect(expanded).toEqual(['n', 'd', 'd'])
  })

  test('counting with Range and Size', () => {
    const range = (from: number, by: number): readonly Dim[] | undefined =>
      shapeAfter(['n', 's'], (g, x) => g.node('Range', [scalar(g, from), extent(g, x, 1), scalar(g, by)]))
    expect(range(0, 1)).toEqual(['s'])
    expect(range(1, 1)).toEqual(['s-1'])
    expect(range(0, 2)).toEqual(['floordiv(s+1,2)'])
    const positions = shapeAfter(['n', 's'], (g, x) => {
      const axis = g.node('Range', [scalar(g, 0), scalar(g, 2), scalar(g, 1)])
      return filled(g, g.node('Gather', [g.node('Shape', [x]), axis]))
    })
    expect(positions).toEqual(['n', 's'])
    const size = shapeAfter(['n', 's'], (g, x) =>
      filled(g, g.node('Unsqueeze', [g.node('Size', [x]), ints(g, 0)])),
    )
    expect(size).toEqual(['n*s'])
  })

  test('repeating with Tile and Expand, and passing through Transpose and Reshape', () => {
    const repeated = shapeAfter(['n'], (g, x) => {
      const pair = g.node('Tile', [g.node('Shape', [x]), ints(g, 2)])
      const triple = g.node('Expand', [list(g, extent(g, x, 0)), ints(g, 3)])
      const both = g.node('Concat', [pair, triple], { axis: 0 })
      return filled(g, g.node('Transpose', [g.node('Reshape', [both, ints(g, -1)])]))
    })
    expect(repeated).toEqual(['n', 'n', 'n', 'n', 'n'])
  })

  test('slicing, padding and resizing by what they computed', () => {
    const prefix = shapeAfter(['n', 's'], (g, x) => {
      const table = g.constant(zeros('float32', [1, 512]))
      return g.node('Slice', [table, ints(g, 0), list(g, extent(g, x, 1)), ints(g, 1)])
    })
    expect(prefix).toEqual([1, 's'])
    const padded = shapeAfter(['n', 's'], (g, x) => {
      const missing = g.node('Sub', [scalar(g, 128), extent(g, x, 1)])
      const pads = list(g, scalar(g, 0), scalar(g, 0), scalar(g, 0), missing)
      return g.node('Pad', [x, pads])
    })
    expect(padded).toEqual(['n', 128])
    const resized = shapeAfter(['n', 3, 'h', 'w'], (g, x) => {
      const double = g.node('Mul', [g.node('Shape', [x]), ints(g, 1, 1, 2, 2)])
      return g.node('Resize', [x, undefined, undefined, double], { mode: 'linear' })
    })
    expect(resized).toEqual(['n', 3, '2*h', '2*w'])
    const scaled = shapeAfter(['n', 'h'], (g, x) =>
      g.node('Resize', [x, undefined, g.constant(float32([1, 0.5]))]),
    )
    expect(scaled).toEqual(['n', 'floordiv(h,2)'])
  })

  test('mixing what is known with what is not', () => {
    const partly = shapeAfter(['n', 's'], (g, x) => {
      const found = g.node('NonZero', [x])
      return filled(g, list(g, extent(g, x, 0), extent(g, found, 1), scalar(g, 7)))
    })
    expect(partly).toHaveLength(3)
    expect(partly?.[0]).toBe('n')
    expect(partly?.[2]).toBe(7)
    const unknown = shapeAfter(['n', 4], (g, x) => {
      const k = g.node('Cast', [g.node('ReduceMax', [x], { keepdims: 0 })], { to: 7 })
      return g.node('Reshape', [x, list(g, k, scalar(g, 2), scalar(g, -1))])
    })
    expect(unknown).toEqual([null, 2, null])
  })
})
