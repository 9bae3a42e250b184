/** What can be said of a model without running it, and what follows: types, checks, folding, figures. */
export * from './check.ts'
export * from './fold.ts'
export * from './infer.ts'
export * from './sparsity.ts'
export * from './statistics.ts'
export * from './tensors.ts'
