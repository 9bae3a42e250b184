/**
 * Division of integers as ONNX has it: quotients are truncated as in C, and so is the remainder of `fmod`;
 * the plain modulus takes the sign of the divisor, as in Python. Division by zero, which no integer can
 * express, is an error.
 */
import { EspalierError } from '../../errors.ts'

/** a / b, truncated. Exact for integers up to 2^53. */
export function quotient(a: number, b: number): number {
  if (b === 0) throw divisionByZero()
  return Math.trunc(a / b)
}

/** a / b, truncated, for 64-bit integers. */
export function bigQuotient(a: bigint, b: bigint): bigint {
  if (b === 0n) throw divisionByZero()
  return a / b
}

/** What is left of `a` after truncated division: it has the sign of `a`. */
export function remainder(a: number, b: number): number {
  if (b === 0) throw divisionByZero()
  return a % b
}

/** The form of {@link remainder} for 64-bit integers. */
export function bigRemainder(a: bigint, b: bigint): bigint {
  if (b === 0n) throw divisionByZero()
  return a % b
}

/** a modulo b, with the sign of `b`. */
export function modulus(a: number, b: number): number {
  const rest = remainder(a, b)
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest
}

/** The form of {@link modulus} for 64-bit integers. */
export function bigModulus(a: bigint, b: bigint): bigint {
  const rest = bigRemainder(a, b)
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest
}

function divisionByZero(): EspalierError {
  return new EspalierError('bad-argument', 'integer division by zero', {
    expected: 'a divisor without zeros',
    hint: 'Only floating-point types can express the result.',
  })
}
