/** Rules that put several nodes into one, in the order in which they are tried at a node. */
import type { NodeRule } from '../rule.ts'
import { activation } from './activation.ts'
import { matmulScale } from './matmul-scale.ts'
import { matmulTranspose } from './matmul-transpose.ts'
import { residual } from './residual.ts'
import { skipNorm } from './skip-norm.ts'

export const fuseRules: readonly NodeRule[] = [matmulTranspose, matmulScale, residual, activation, skipNorm]
