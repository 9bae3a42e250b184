// Models with zeros for the sparse rows: pruned by magnitude, or with rows of very different density, as training leaves
// them. Depthwise convolutions stay dense, as in published sparse networks: there is next to nothing in them to save.
import { weightViews } from 'espalier/analysis'
import { applyMask, masksFor, patternNamed, pruneMagnitude, syntheticScores } from 'espalier/compress'

/**
 * How unevenly zeros lie where `skew` has no number: standard deviation of the logarithm of the scales of rows, as in
 * `espalier analyze --skew`. At 90 % zeros, one row in six then keeps more than 1.5 times as many weights as the mean, one in
 * six fewer than half as many, the fullest three times as many.
 */
const SKEW = 0.25

/**
 * Reads `0.9`, `0.8,block4,int8`, `0.9,skew`, `0.9,skew=0.5`: sparsity, pattern, whether to quantise, unevenness, between
 * commas in any order. Throws for anything else.
 */
export function readSetting(setting) {
  const read = { pattern: patternNamed('unstructured'), skew: 0, int8: false }
  for (const word of setting.split(',')) {
    const [, skew] = /^skew(?:=(\d*\.?\d+))?$/.exec(word) ?? []
    if (word === 'int8') read.int8 = true
    else if (word === 'skew' || skew !== undefined) read.skew = Number(skew ?? SKEW)
    else if (/^\d*\.?\d+$/.test(word)) read.sparsity = Number(word)
    else read.pattern = patternNamed(word)
  }
  return read
}

/** The graph with zeros in every weight of a product or a convolution that pruning by magnitude takes. */
export function prune(graph, { sparsity, pattern, skew }) {
  const include = ({ op, shape }) => op !== 'Conv' || shape[1] !== 1
  const pruned = pruneMagnitude(graph, { sparsity, pattern, include })
  if (skew === 0) return pruned.graph
  const views = weightViews(graph)
  const initializers = new Map(graph.initializers)
  for (const [seed, { name }] of pruned.layers.entries()) {
    const weight = graph.initializers.get(name)
    const scores = syntheticScores(weight.shape, views.get(name), { seed, skew })
    const [mask] = masksFor(pattern, [scores], sparsity)
    initializers.set(name, applyMask(weight, views.get(name), mask))
  }
  return { ...graph, initializers }
}
