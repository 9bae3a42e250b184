/**
 * Activation functions that RNN, GRU and LSTM name in their attributes. Names are taken in any case; each
 * function that has an alpha (or beta) takes the next one of the list, in the order of the activations, or
 * else its default. Source: ONNX Operators.md, RNN; the defaults that it leaves to other operators are theirs
 * (ScaledTanh has none there: 1, 1).
 */
import { EspalierError } from '../../errors.ts'
import type { Attributes } from '../op.ts'
import { sigmoid, softplus } from './activations.ts'

export type Activation = (x: number) => number

interface Kind {
  readonly alpha?: number
  readonly beta?: number
  readonly make: (alpha: number, beta: number) => Activation
}

const kinds: Readonly<Record<string, Kind>> = {
  relu: { make: () => x => Math.max(x, 0) },
  tanh: { make: () => Math.tanh },
  sigmoid: { make: () => sigmoid },
  affine: { alpha: 1, beta: 0, make: (alpha, beta) => x => alpha * x + beta },
  leakyrelu: { alpha: 0.01, make: alpha => x => (x >= 0 ? x : alpha * x) },
  thresholdedrelu: { alpha: 1, make: alpha => x => (x >= alpha ? x : 0) },
  scaledtanh: { alpha: 1, beta: 1, make: (alpha, beta) => x => alpha * Math.tanh(beta * x) },
  hardsigmoid: {
    alpha: 0.2,
    beta: 0.5,
    make: (alpha, beta) => x => Math.min(Math.max(alpha * x + beta, 0), 1),
  },
  elu: { alpha: 1, make: alpha => x => (x >= 0 ? x : alpha * Math.expm1(x)) },
  softsign: { make: () => x => x / (1 + Math.abs(x)) },
  softplus: { make: () => softplus },
}

/** An activation as a node names it, in lower case, with its parameters; 0 where it has none. */
export interface NamedActivation {
  readonly name: string
  readonly alpha: number
  readonly beta: number
}

/**
 * The names of the activations of each direction. `defaults` are those of one direction. Throws `bad-argument` for an
 * unknown name and for a list that is too short.
 */
export function namedActivations(
  attributes: Attributes,
  directions: number,
  defaults: readonly string[],
): NamedActivation[][] {
  const count = defaults.length * directions
  const stated = attributes.has('activations') ? attributes.optionalStrings('activations') : undefined
  const names = stated ?? Array.from({ length: directions }, () => defaults).flat()
  if (names.length < count)
    throw new EspalierError('bad-argument', 'too few activations', {
      where: { field: 'activations' },
      expected: `${count} names`,
      got: `${names.length}`,
    })
  const alphas = (attributes.optionalFloats('activation_alpha') ?? []).values()
  const betas = (attributes.optionalFloats('activation_beta') ?? []).values()
  const activations = names.slice(0, count).map((stated): NamedActivation => {
    const name = stated.toLowerCase()
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === undefined)
      throw new EspalierError('bad-argument', `unknown activation "${stated}"`, {
        where: { field: 'activations' },
        expected: 'one of the activation functions of the RNN operators',
      })
    const alpha = kind.alpha === undefined ? 0 : (alphas.next().value ?? kind.alpha)
    const beta = kind.beta === undefined ? 0 : (betas.next().value ?? kind.beta)
    return { name, alpha, beta }
  })
  return Array.from({ length: directions }, (_, d) =>
    activations.slice(d * defaults.length, (d + 1) * defaults.length),
  )
}

/** As {@link namedActivations}, as functions, with the input clipped where `clip` is given. */
export function readActivations(
  attributes: Attributes,
  directions: number,
  defaults: readonly string[],
): Activation[][] {
  const clip = readClip(attributes)
  return namedActivations(attributes, directions, defaults).map(list =>
    list.map(({ name, alpha, beta }) => {
      const activation = kinds[name]!.make(alpha, beta)
      return clip === undefined ? activation : (x: number) => activation(Math.min(Math.max(x, -clip), clip))
    }),
  )
}

function readClip(attributes: Attributes): number | undefined {
  const clip = attributes.optionalFloat('clip')
  if (clip === undefined || clip >= 0) return clip
  throw new EspalierError('bad-argument', 'not a clip threshold', {
    where: { field: 'clip' },
    expected: 'at least 0',
    got: `${clip}`,
  })
}
