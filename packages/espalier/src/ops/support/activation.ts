/**
 * The activation functions that kernels apply to what they have just computed: their codes, as in
 * kernels/math/activation.hpp, and what they are, in float64. Operators of the project's own domain that end in an
 * activation have the attributes `activation` (a name), `alpha` and `beta`.
 */
import { EspalierError } from '../../errors.ts'
import type { Attributes } from '../op.ts'
import { type AttributeSchema, float, string } from '../schema.ts'
import { sigmoid } from './activations.ts'
import { erfc } from './error-function.ts'

/** An activation's name and the number that steps carry. */
export const activationCodes = {
  none: 0,
  relu: 1,
  clip: 2,
  leaky_relu: 3,
  sigmoid: 4,
  tanh: 5,
  hard_sigmoid: 6,
  hard_swish: 7,
  silu: 8,
  gelu: 9,
  gelu_tanh: 10,
  elu: 11,
} as const

export type ActivationName = keyof typeof activationCodes

/** An activation with its parameters; those that it does not have are 0. */
export interface Activation {
  readonly name: ActivationName
  readonly alpha: number
  readonly beta: number
}

type Definition = (x: number, alpha: number, beta: number) => number

const definitions: Readonly<Record<ActivationName, Definition>> = {
  none: x => x,
  relu: x => Math.max(x, 0),
  clip: (x, alpha, beta) => Math.min(beta, Math.max(x, alpha)),
  leaky_relu: (x, alpha) => (x < 0 ? alpha * x : x),
  sigmoid,
  tanh: Math.tanh,
  hard_sigmoid: (x, alpha, beta) => Math.max(0, Math.min(1, alpha * x + beta)),
  hard_swish: x => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  silu: (x, alpha) => x * sigmoid(alpha * x),
  gelu: x => (x / 2) * erfc(-x / Math.SQRT2),
  gelu_tanh: x => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  elu: (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x),
}

/** The schema's part: attributes of an operator that ends in an activation. */
export const activationAttributes: Readonly<Record<'activation' | 'alpha' | 'beta', AttributeSchema>> = {
  activation: string('none', Object.keys(activationCodes)),
  alpha: float(0),
  beta: float(0),
}

/** Reads them. */
export function activationOf(attributes: Attributes): Activation {
  const name = attributes.string('activation')
  if (!Object.hasOwn(activationCodes, name))
    throw new EspalierError('bad-argument', 'there is no such activation', {
      expected: Object.keys(activationCodes).join(', '),
      got: name,
    })
  return { name: name as ActivationName, alpha: attributes.float('alpha'), beta: attributes.float('beta') }
}

/** What an activation makes of a number. */
export function activationFunction({ name, alpha, beta }: Activation): (x: number) => number {
  const f = definitions[name]
  return x => f(x, alpha, beta)
}

/** The fields that a step with an activation has. */
export interface ActivationFields {
  readonly activation: number
  readonly alpha: number
  readonly beta: number
}

export function activationFields({ name, alpha, beta }: Activation): ActivationFields {
  return { activation: activationCodes[name], alpha, beta }
}
