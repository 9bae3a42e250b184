/** Scaled dot-product attention in one step: scores never reach memory. */
import type { StepSpec } from '../fields.ts'

/** Values of `maskKind`. */
export const maskKinds = { none: 0, float: 1, bool: 2 } as const

const attentionFields = {
  q: 'in',
  /** The new keys; all of them where there is no past. */
  k: 'in',
  v: 'in',
  /** Added to the scores, or (bool) true where a query sees a key. */
  mask: 'in?',
  /** Keys that are not padding, one int64 a sample; queries then stand at the end of those. */
  lengths: 'in?',
  /** [batch, kvHeads, past, size] and [batch, kvHeads, past, valueSize]. */
  pastK: 'in?',
  pastV: 'in?',
  y: 'out',
  /** [batch, kvHeads, keys, size] and [batch, kvHeads, keys, valueSize]: past followed by new. */
  presentK: 'out?',
  presentV: 'out?',
  /** `scratchFloats` float32 for every thread. */
  scratch: 'scratch',
  scratchFloats: 'int',
  batch: 'int',
  heads: 'int',
  /** Query heads share keys and values in groups of neighbours. */
  kvHeads: 'int',
  queries: 'int',
  /** Past and new together. */
  keys: 'int',
  past: 'int',
  size: 'int',
  valueSize: 'int',
  scale: 'float',
  /** 0 for none: scores become softcap * tanh(score / softcap). */
  softcap: 'float',
  /** How many keys a query sees before and after its own position; -1 without bound. Causal: `right` 0. */
  left: 'int',
  right: 'int',
  /** One of {@link maskKinds}. */
  maskKind: 'int',
  /** Keys that the mask has; those beyond are not seen. */
  maskKeys: 'int',
  /** In elements, of sample, head and position; elements of a head lie side by side. */
  qStrides: 'int[3]',
  /** Of sample, head, position and element. */
  kStrides: 'int[4]',
  vStrides: 'int[3]',
  yStrides: 'int[3]',
  /** Of sample, head, query and key. */
  maskStrides: 'int[4]',
} as const

export interface AttentionSteps {
  readonly attention_f32: StepSpec<typeof attentionFields>
}

export const attentionSteps: AttentionSteps = {
  attention_f32: {
    doc: 'softmax(scale q k^T + mask) v for every head; appends new keys and values to the past.',
    fields: attentionFields,
    cost: ({ batch, heads, kvHeads, queries, keys, past, size, valueSize, right }) => {
      const pairs = batch * heads * queries * (right === 0 ? keys - (queries - 1) / 2 : keys)
      const cached = past > 0 ? 3 : 1
      return {
        flops: pairs * (2 * (size + valueSize) + 13),
        bytes:
          4 * batch * (heads * queries * (size + valueSize) + kvHeads * keys * (size + valueSize) * cached),
      }
    },
  },
}
