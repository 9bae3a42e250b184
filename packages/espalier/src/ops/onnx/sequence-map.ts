/** A body graph applied to every element of sequences. */
import { EspalierError } from '../../errors.ts'
import type { RuntimeValue } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes, required, sequencesOf } from '../schema.ts'
import { checkBody } from '../support/bodies.ts'
import { elementType, sequenceOf } from '../support/type-join.ts'

export const SequenceMap: Op = {
  name: 'SequenceMap',
  doc: 'Runs `body` on the elements of the input sequences, position by position; tensors are given to each run whole.',
  versions: {
    17: {
      inputs: ['input_sequence: S', 'additional_inputs...?: V*'],
      outputs: ['out_sequence...: S*'],
      types: { S: sequencesOf(allTypes), V: [...allTypes, ...sequencesOf(allTypes)] },
      attributes: { body: required('graph') },
    },
  },
  infer(c) {
    const body = c.attributes.graph('body')
    checkBody(body, c.inputs.length, c.outputCount)
    const elements = c.inputs.map(type => (type?.kind === 'sequence' ? elementType(type) : type))
    return c.inferGraph(body, elements).map(sequenceOf)
  },
  evaluate(c) {
    const body = c.attributes.graph('body')
    checkBody(body, c.inputs.length, c.outputCount)
    const { length } = c.sequence(0)
    const inputs = c.inputs.map((_, index) =>
      isSequence(c.inputs[index]) ? c.sequence(index) : c.tensor(index),
    )
    for (const input of inputs)
      if (isSequence(input) && input.length !== length)
        throw new EspalierError('bad-argument', 'the sequences have several lengths', {
          expected: `${length}, as the first`,
          got: `${input.length}`,
        })
    const outputs = body.outputs.map((): RuntimeValue[] => [])
    for (let i = 0; i < length; i++) {
      const results = c.runGraph(
        body,
        inputs.map(input => (isSequence(input) ? input[i]! : input)),
      )
      for (const [k, result] of results.entries()) outputs[k]!.push(result)
    }
    return outputs
  },
}

const isSequence = (value: RuntimeValue | undefined): value is readonly RuntimeValue[] => Array.isArray(value)
