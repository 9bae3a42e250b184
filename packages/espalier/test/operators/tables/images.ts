/** Resampling, and operators on regions of images. */
import { floatAttribute as f } from '../../../src/graph/builder.ts'
import type { CaseAttributes, Row } from '../case.ts'
import { any, f32, i64, real, scalar, values } from '../draw.ts'

const plane = [1, 2, 4, 5]
const none = f32([], [0])
const coordinates10 = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric']
const coordinates19 = [...coordinates10, 'half_pixel_symmetric']
const nearest = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']

const inCoordinates = (modes: readonly string[], more: CaseAttributes): CaseAttributes[] =>
  modes.map(mode => ({ coordinate_transformation_mode: mode, ...more }))
const inNearest = (modes: readonly string[]): CaseAttributes[] =>
  nearest.flatMap(nearest_mode => inCoordinates(modes, { nearest_mode }))

const byScales = [
  [any(plane), none, f32([1, 1, 2, 3])],
  [any(plane), none, f32([1, 1, 0.6, 0.5])],
  [any(plane), none, f32([1, 1, 1.3, 0.8])],
]
const bySizes = [
  [any(plane), none, none, i64(1, 2, 7, 3)],
  [any(plane), none, none, i64(1, 2, 2, 9)],
  [any(plane), none, none, i64(1, 2, 1, 1)],
]
const plain = [
  [any(plane), undefined, f32([1, 1, 2, 3])],
  [any(plane), undefined, f32([1, 1, 0.6, 0.5])],
  [any(plane), undefined, undefined, i64(1, 2, 7, 3)],
  [any(plane), undefined, undefined, i64(1, 2, 1, 9)],
]

const cubic: readonly CaseAttributes[] = [
  ...inCoordinates(coordinates10, { mode: 'cubic' }),
  { mode: 'cubic', cubic_coeff_a: f(-0.5) },
  { mode: 'cubic', exclude_outside: 1 },
  { mode: 'cubic', cubic_coeff_a: f(-0.5), exclude_outside: 1, coordinate_transformation_mode: 'asymmetric' },
]

const resize: readonly Row[] = [
  {
    op: 'Upsample',
    until: 8,
    dtypes: ['float32', 'int32', 'uint8', 'int8'],
    inputs: [[any(plane)]],
    attributes: ['nearest', 'linear'].flatMap(
      mode =>
        [
          { mode, scales: { type: 'floats', value: [1, 1, 2, 3] } },
          { mode, scales: { type: 'floats', value: [1, 1, 1.5, 2.2] } },
        ] as const,
    ),
  },
  {
    op: 'Upsample',
    since: 9,
    until: 9,
    dtypes: ['float32', 'int32', 'uint8', 'int8'],
    inputs: [
      [any(plane), f32([1, 1, 2, 3])],
      [any(plane), f32([1, 1, 1.5, 2.2])],
      [any([3, 4]), f32([2, 1.5])],
    ],
    attributes: [{}, { mode: 'linear' }],
  },
  {
    op: 'Resize',
    until: 10,
    dtypes: ['float32', 'int32', 'uint8', 'int8'],
    inputs: [
      [any(plane), f32([1, 1, 2, 3])],
      [any(plane), f32([1, 1, 0.6, 0.5])],
      [any(plane), f32([1, 1, 1.5, 2.2])],
      [any([3, 4]), f32([0.7, 1.5])],
    ],
    attributes: [{}, { mode: 'linear' }],
  },
  {
    op: 'Resize',
    since: 11,
    until: 12,
    inputs: [...byScales, ...bySizes],
    attributes: [
      ...inNearest([...coordinates10, 'tf_half_pixel_for_nn']),
      ...inCoordinates([...coordinates10], { mode: 'linear' }),
    ],
  },
  {
    op: 'Resize',
    since: 19,
    inputs: plain,
    attributes: [...inNearest(coordinates19), ...inCoordinates(coordinates19, { mode: 'linear' })],
  },
  { op: 'Resize', since: 11, until: 12, inputs: [...byScales, ...bySizes], attributes: cubic },
  { op: 'Resize', since: 13, inputs: plain, attributes: cubic },
  {
    op: 'Resize',
    since: 13,
    inputs: [
      [any(plane), f32([0, 0, 0.2, 0.1, 1, 1, 0.7, 0.9]), undefined, i64(1, 2, 3, 6)],
      [any(plane), f32([0, 0, -0.3, 0.5, 1, 1, 1.4, 0.6]), undefined, i64(1, 2, 5, 3)],
      [any(plane), f32([0, 0, 0.8, 1.2, 1, 1, 0.1, 0.2]), undefined, i64(1, 2, 1, 3)],
    ],
    attributes: [
      ...nearest.map(nearest_mode => ({ nearest_mode })),
      { mode: 'linear' },
      { mode: 'linear', extrapolation_value: f(7) },
      { mode: 'cubic' },
      { mode: 'cubic', extrapolation_value: f(7) },
    ].map(one => ({ ...one, coordinate_transformation_mode: 'tf_crop_and_resize' })),
  },
  {
    op: 'Resize',
    since: 19,
    dtypes: ['float64', 'float16', 'int32', 'int8', 'uint8', 'int64'],
    inputs: plain.slice(0, 3),
    attributes: [{}, { mode: 'linear' }],
  },
  {
    op: 'Resize',
    since: 11,
    inputs: [
      [real([5]), none, f32([2])],
      [real([3, 4]), none, f32([1.5, 0.5])],
      [real([2, 3, 4]), none, f32([1, 2, 1.5])],
      [real([1, 1, 3, 3, 2]), none, f32([1, 1, 2, 1.5, 2])],
      [real([2, 3, 4]), none, f32([1.5, 2, 0.5])],
      [real([1, 4, 5, 2]), none, f32([1, 2, 1.5, 1])],
      [real([4, 5, 2, 1]), none, f32([2, 1.5, 1, 1])],
      [real([2, 2, 3, 4, 2]), none, f32([2, 1.5, 2, 1.5, 2])],
    ],
    attributes: [{}, { mode: 'linear' }, { mode: 'cubic' }],
  },
  {
    op: 'Resize',
    since: 13,
    inputs: [
      [real([1, 1, 3, 4]), undefined, f32([1, 1, 1, 1])],
      [real([1, 0, 3, 4]), undefined, f32([1, 1, 2, 2])],
      [real([1, 1, 3, 1]), undefined, f32([1, 1, 2, 4])],
    ],
    attributes: [
      {},
      { mode: 'linear' },
      { mode: 'cubic' },
      { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
    ],
  },
  {
    op: 'Resize',
    since: 18,
    inputs: [
      [any(plane), undefined, f32([1.4, 2])],
      [any(plane), undefined, undefined, i64(7, 3)],
    ],
    attributes: [
      { axes: [2, 3] },
      { axes: [3, 2] },
      { axes: [-1, -2] },
      { axes: [2, 3], mode: 'linear' },
      { axes: [3, 2], mode: 'cubic' },
    ],
  },
  {
    op: 'Resize',
    since: 18,
    inputs: [
      [any(plane), undefined, undefined, i64(7, 8)],
      [any(plane), undefined, undefined, i64(3, 2)],
      [any(plane), undefined, undefined, i64(6, 3)],
    ],
    attributes: ['not_larger', 'not_smaller', 'stretch'].flatMap(keep_aspect_ratio_policy => [
      { axes: [2, 3], keep_aspect_ratio_policy },
      { axes: [3, 2], keep_aspect_ratio_policy, mode: 'linear' },
    ]),
  },
  {
    op: 'Resize',
    since: 18,
    inputs: [[any(plane), undefined, undefined, i64(1, 2, 8, 9)]],
    attributes: [{ keep_aspect_ratio_policy: 'not_larger' }, { keep_aspect_ratio_policy: 'not_smaller' }],
  },
  {
    op: 'Resize',
    since: 18,
    dtypes: ['float32', 'uint8'],
    inputs: [
      [real([1, 1, 8, 9], 0, 9), undefined, f32([1, 1, 0.6, 0.4])],
      [real([1, 1, 8, 9], 0, 9), undefined, undefined, i64(1, 1, 3, 5)],
      [real([1, 1, 4, 4], 0, 9), undefined, undefined, i64(1, 1, 7, 2)],
    ],
    attributes: [
      ...inCoordinates(['half_pixel', 'align_corners', 'asymmetric', 'pytorch_half_pixel'], {
        antialias: 1,
        mode: 'linear',
      }),
      { antialias: 1, mode: 'cubic' },
      { antialias: 1, mode: 'cubic', exclude_outside: 1 },
      { antialias: 1, mode: 'cubic', cubic_coeff_a: f(-0.5) },
    ],
  },
  {
    op: 'Resize',
    since: 18,
    inputs: [[real([1, 1, 4, 8, 9], 0, 9), undefined, f32([1, 1, 0.5, 0.6, 0.4])]],
    attributes: [{ antialias: 1, mode: 'linear' }],
  },
  {
    op: 'Resize',
    since: 18,
    inputs: [[any(plane), f32([0.4, 0.2, 0.6, 1.1]), undefined, i64(3, 4)]],
    attributes: [
      { axes: [2, 3], coordinate_transformation_mode: 'tf_crop_and_resize', mode: 'linear' },
      { axes: [3, 2], coordinate_transformation_mode: 'tf_crop_and_resize', mode: 'linear' },
    ],
  },
]

const grid = real([2, 3, 4, 2], -1.4, 1.4)
const sampling = ['zeros', 'border', 'reflection'].flatMap(padding_mode =>
  [0, 1].map(align_corners => ({ padding_mode, align_corners })),
)

const grids: readonly Row[] = [
  {
    op: 'GridSample',
    until: 19,
    inputs: [[real([2, 2, 4, 5]), grid]],
    attributes: ['bilinear', 'nearest', 'bicubic'].flatMap(mode => sampling.map(one => ({ ...one, mode }))),
  },
  {
    op: 'GridSample',
    since: 20,
    dtypes: ['float32', 'float64'],
    inputs: [[real([2, 2, 4, 5]), grid]],
    attributes: ['linear', 'nearest', 'cubic'].flatMap(mode => sampling.map(one => ({ ...one, mode }))),
  },
  {
    op: 'GridSample',
    since: 20,
    inputs: [[real([1, 2, 3, 4, 3]), real([1, 2, 3, 2, 3], -1.4, 1.4)]],
    attributes: ['linear', 'nearest'].flatMap(mode => sampling.map(one => ({ ...one, mode }))),
  },
  {
    op: 'GridSample',
    inputs: [
      [
        real([1, 1, 3, 4]),
        values([-10, -10, -5, -5, -0.2, -0.2, 10, 10, 10, 10, -0.2, -0.2, 5, 5, 10, 10], [1, 2, 4, 2]),
      ],
      [real([1, 1, 1, 1]), real([1, 2, 2, 2], -2, 2)],
      [
        real([1, 1, 3, 2]),
        values([-1, -1, -0.5, -0.5, 0, 0, 0.5, 0.5, 1, 1, 0.3333333, -0.3333333], [1, 2, 3, 2]),
      ],
    ],
    attributes: sampling,
  },
  {
    op: 'AffineGrid',
    dtypes: ['float32', 'float64'],
    inputs: [
      [real([2, 2, 3]), i64(2, 3, 4, 5)],
      [real([2, 3, 4]), i64(2, 1, 3, 4, 2)],
      [real([1, 2, 3]), i64(1, 1, 1, 1)],
    ],
    attributes: [{}, { align_corners: 1 }],
  },
]

const regions = values([0, 0, 9, 9, 0, 5, 4, 9, 5.3, 5.1, 9.7, 9.2, -2, 3, 14, 4], [4, 4])
const images = [real([2, 2, 10, 10]), regions, i64(0, 1, 1, 0)]
const align = [
  {},
  { output_height: 2, output_width: 3, sampling_ratio: 2 },
  { output_height: 5, output_width: 5, sampling_ratio: 2, spatial_scale: f(0.5) },
  { output_height: 3, output_width: 2, spatial_scale: f(0.7) },
]
const align16 = ['half_pixel', 'output_half_pixel'].flatMap(coordinate_transformation_mode =>
  align.map(one => ({ ...one, coordinate_transformation_mode })),
)

const boxes = f32(
  [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 0, 10.1, 1, 11.1, 0, 100, 1, 101],
  [1, 6, 4],
)
const scores = f32([0.9, 0.75, 0.6, 0.95, 0.5, 0.3], [1, 1, 6])

const suppression: readonly Row[] = [
  {
    op: 'RoiAlign',
    until: 15,
    dtypes: ['float32', 'float64'],
    inputs: [images],
    attributes: align.flatMap(one => [one, { ...one, mode: 'max' }]),
  },
  {
    op: 'RoiAlign',
    since: 16,
    dtypes: ['float32', 'float64'],
    inputs: [images],
    attributes: align16.flatMap(one => [one, { ...one, mode: 'max' }]),
  },
  {
    op: 'NonMaxSuppression',
    inputs: [
      [boxes, scores, scalar(3, 'int64'), scalar(0.5, 'float32'), scalar(0, 'float32')],
      [boxes, scores, i64(3), f32([0.5]), f32([0.4])],
      [boxes, scores, scalar(30, 'int64'), scalar(0.5, 'float32')],
      [boxes, scores, scalar(2, 'int64')],
      [boxes, scores],
      [boxes, scores, scalar(0, 'int64')],
      [boxes, scores, scalar(3, 'int64'), scalar(0, 'float32')],
      [boxes, scores, scalar(3, 'int64'), scalar(1, 'float32')],
      [boxes, f32([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], [1, 1, 6]), scalar(6, 'int64'), scalar(0.3, 'float32')],
      [boxes, scores, scalar(6, 'int64'), undefined, scalar(0.6, 'float32')],
      [f32([], [1, 0, 4]), f32([], [1, 1, 0]), scalar(6, 'int64')],
    ],
    attributes: [{}, { center_point_box: 1 }],
  },
  {
    op: 'NonMaxSuppression',
    inputs: [
      [
        real([2, 12, 4], 0, 3, 'float32'),
        real([2, 3, 12], 0, 1, 'float32'),
        scalar(4, 'int64'),
        scalar(0.2, 'float32'),
        scalar(0.1, 'float32'),
      ],
    ],
    attributes: [{}, { center_point_box: 1 }],
  },
]

export const imaging: readonly Row[] = [...resize, ...grids, ...suppression]
