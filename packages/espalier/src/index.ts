/**
 * Espalier: neural networks read, inspected, converted and run. Every part is also a module of its own
 * (`espalier/onnx`, `espalier/graph`...); this one gathers what most programs need.
 */

export * from './analysis/index.ts'
export * from './errors.ts'
export * from './graph/index.ts'
export { load, save } from './model.ts'
export { operators } from './ops/index.ts'
export * from './runtime/index.ts'
export * from './tensor/index.ts'
export { version } from './version.ts'
