/** Errors that several pattern codecs have in common. */
import { EspalierError } from '../../../errors.ts'

export function badParameters(codec: string, expected: string, parameters: readonly number[]): EspalierError {
  return new EspalierError('malformed', `the parameters of the ${codec} codec are not possible`, {
    expected,
    got: `[${parameters.slice(0, 8).join(', ')}]`,
  })
}

export function wrongCount(stored: number, found: number | string): EspalierError {
  return new EspalierError('malformed', 'the pattern has another number of elements than are stored', {
    expected: `${stored}`,
    got: `${found}`,
  })
}
