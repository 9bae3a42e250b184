/** The activation that a value has passed, where nobody else reads what it was before. */
import { type ActivationCall, activationOf, activationOperators } from '../activation.ts'
import type { RuleContext } from '../rule.ts'

/** `name` itself, or what an activation makes it of. */
export function activatedBefore(
  c: RuleContext,
  name: string,
): { readonly value: string; readonly activation: ActivationCall | undefined } {
  const node = c.only(name, ...activationOperators)
  const activation = node && activationOf(c, node)
  return activation === undefined ? { value: name, activation } : { value: node!.inputs[0]!, activation }
}
