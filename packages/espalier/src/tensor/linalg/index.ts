/** Float64 linear algebra on dense matrices. */
export {
  type CholeskyOptions,
  cholesky,
  choleskyInverse,
  choleskyOfInverse,
  choleskySolve,
} from './cholesky.ts'
export { type SymmetricEigen, symmetricEigen } from './eigen.ts'
export { copyMatrix, identity, type Matrix, matrix, transpose } from './matrix.ts'
export { type GramOptions, gram, type MultiplyOptions, multiply } from './multiply.ts'
export { type Qr, type QrOptions, qr } from './qr.ts'
export {
  invertTriangular,
  type SolveTriangularOptions,
  solveTriangular,
  type TriangularOptions,
} from './triangular.ts'
