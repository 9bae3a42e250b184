/** Tensors: data types, shapes, storage and conversion. */
export * from './dtype.ts'
export * from './elements.ts'
export * as linalg from './linalg/index.ts'
export {
  decodeMinifloat,
  encodeE8M0,
  encodeMinifloat,
  isMinifloat,
  type Minifloat,
  type PowerRounding,
  roundHalfEven,
} from './minifloat.ts'
export * as random from './random.ts'
export * from './shape.ts'
export * from './tensor.ts'
