import { describe, expect, test } from 'vitest'
import { numbers } from '../tensor/elements.ts'
import { float32 } from '../tensor/tensor.ts'
import type { GraphBuilder, Handle } from './builder.ts'
import { dump } from './dump.ts'
import type { Graph, Initializer, Node } from './graph.ts'
import { graphOf, outer } from './graphs.suite.ts'
import type { OpPattern } from './match.ts'
import { findMatches, makeNode, type Rule, rewrite } from './rewrite.ts'
import { denseOf } from './sparse.ts'
import { validate } from './validate.ts'

/** What each match of a pattern captures: `a=x b=y`. */
function captures(graph: Graph, pattern: OpPattern): string[] {
  return findMatches(graph, pattern).map(({ root, values, nodes }) =>
    [
      root.name,
      ...[...values].map(pair => pair.join('=')),
      ...[...nodes].map(([as, { name }]) => `${as}:${name}`),
    ].join(' '),
  )
}

/** A graph of values `a`, `b` and `c`. */
const on = (build: (g: GraphBuilder, a: Handle, b: Handle, c: Handle) => Handle | Handle[]): Graph =>
  graphOf(g => build(g, g.input('a', 'float32'), g.input('b', 'float32'), g.input('c', 'float32')))

describe('patterns', () => {
  test('match trees of operators and capture values and nodes', () => {
    const graph = on((g, a, b, c) => g.node('Add', [g.node('Mul', [a, b]), c]))
    const product: OpPattern = { op: 'Mul', inputs: ['x', 'y'], as: 'product' }
    expect(captures(graph, { op: 'Add', inputs: [product, 'z'] })).toEqual([
      'add_1 x=a y=b z=c product:mul_1',
    ])
    expect(captures(graph, { op: ['Sub', 'Add'], inputs: ['p', 'q'] })).toEqual(['add_1 p=mul_1 q=c'])
    expect(captures(graph, { op: 'Add', inputs: ['z', product] })).toEqual([])
    expect(captures(graph, { op: 'Add', inputs: [product, product] })).toEqual([])
  })
  test('try commutative inputs in both orders, one level with the other', () => {
    const graph = on((g, a, b, c) => {
      const product = g.node('Mul', [a, b])
      return [g.node('Add', [c, product]), g.node('Add', [product, b]), g.node('Add', [product, a])]
    })
    const sum = (...inputs: OpPattern['inputs']): OpPattern => ({ op: 'Add', commutative: true, inputs })
    const product: OpPattern = { op: 'Mul', commutative: true, inputs: ['x', 'y'] }
    expect(captures(graph, sum(product, 'z'))).toEqual([
      'add_1 x=a y=b z=c',
      'add_2 x=a y=b z=b',
      'add_3 x=a y=b z=a',
    ])
    // The second needs the product the other way round, which only its sibling can tell.
    expect(captures(graph, sum(product, 'x'))).toEqual(['add_2 x=b y=a', 'add_3 x=a y=b'])
    expect(captures(graph, { op: 'Add', inputs: [product, 'y'] })).toEqual(['add_2 x=a y=b', 'add_3 x=b y=a'])
  })
  test('the same name twice is the same value or node', () => {
    const graph = on((g, a, b) => {
      const e = g.node('Erf', [a])
      return [
        g.node('Mul', [a, a]),
        g.node('Mul', [a, b]),
        g.node('Sub', [e, e]),
        g.node('Sub', [e, g.node('Erf', [a])]),
      ]
    })
    expect(captures(graph, { op: 'Mul', inputs: ['x', 'x'] })).toEqual(['mul_1 x=a'])
    const erf: OpPattern = { op: 'Erf', inputs: ['x'], as: 'e' }
    expect(captures(graph, { op: 'Sub', inputs: [erf, erf] })).toEqual(['sub_1 x=a e:erf_1'])
  })
  test('say which inputs are absent', () => {
    const graph = on((g, a, b, c) => [
      g.node('Clip', [a]),
      g.node('Clip', [a, undefined, undefined]),
      g.node('Clip', [a, b]),
      g.node('Clip', [a, undefined, c]),
    ])
    const clip = (...inputs: OpPattern['inputs']): string[] => captures(graph, { op: 'Clip', inputs })
    expect(clip('x')).toEqual(['clip_1 x=a', 'clip_2 x=a'])
    expect(clip('x', undefined)).toEqual(['clip_1 x=a', 'clip_2 x=a'])
    expect(clip('x', 'low')).toEqual(['clip_3 x=a low=b'])
    expect(clip('x', undefined, 'high')).toEqual(['clip_4 x=a high=c'])
  })
  test('go on from the first output unless they say another', () => {
    const graph = on((g, a) => {
      const [top, index] = g.nodes('TopK', [a], {}, { outputs: ['top', 'index'] })
      return [g.node('Relu', [top]), g.node('Cast', [index])]
    })
    const topK: OpPattern = { op: 'TopK', inputs: ['x'] }
    expect(captures(graph, { op: ['Relu', 'Cast'], inputs: [topK] })).toEqual(['relu_1 x=a'])
    expect(captures(graph, { op: ['Relu', 'Cast'], inputs: [{ ...topK, output: 1 }] })).toEqual([
      'cast_1 x=a',
    ])
  })
  test('belong to an operator set', () => {
    const graph = on((g, a) => [g.node('Op', [a]), g.node('Op', [a], {}, { domain: 'my', name: 'mine' })])
    expect(captures(graph, { op: 'Op', inputs: ['x'] })).toEqual(['op_1 x=a'])
    expect(captures(graph, { op: 'Op', domain: 'ai.onnx', inputs: ['x'] })).toEqual(['op_1 x=a'])
    expect(captures(graph, { op: 'Op', domain: 'my', inputs: ['x'] })).toEqual(['mine x=a'])
  })
})

describe('a match', () => {
  const graph = (): Graph =>
    graphOf(g => {
      const x = g.input('x', 'float32')
      const w = g.constant(float32([2]), 'w')
      return g.node('Mul', [g.node('Mul', [x, w]), g.constant(float32([3]), 'v')])
    })
  const [first] = findMatches(graph(), { op: 'Mul', inputs: ['a', 'k'], as: 'product' })

  test('tells what was captured, and complains of what was not', () => {
    expect([first!.value('a'), first!.node('product').name]).toEqual(['x', 'mul_1'])
    expect(first!.constant('k')).toEqual(float32([2]))
    expect(first!.constant('a')).toBeUndefined()
    expect(() => first!.value('z')).toThrow('the pattern captures nothing called "z"')
    expect(() => first!.node('z')).toThrow('the pattern captures nothing called "z"')
    expect(() => first!.constant('z')).toThrow('the pattern captures nothing called "z"')
  })
  test('does not call a default constant', () => {
    const defaulted = { ...graph(), inputs: [{ name: 'x' }, { name: 'w' }] }
    const [match] = findMatches(defaulted, { op: 'Mul', inputs: ['a', 'k'] })
    expect(match!.constant('k')).toBeUndefined()
  })
  test('knows producers, consumers and names that are free', () => {
    expect(first!.uses.consumers.get('mul_1')?.map(({ name }) => name)).toEqual(['mul_2'])
    expect(first!.graph.nodes.length).toBe(2)
    expect([first!.fresh('w'), first!.fresh('w'), first!.fresh('new')]).toEqual(['w_1', 'w_2', 'new'])
  })
})

/** Relu(Relu(x)) is Relu(x). */
const once: Rule = {
  name: 'once',
  pattern: { op: 'Relu', inputs: [{ op: 'Relu', inputs: ['x'] }] },
  replace: match => ({ nodes: [makeNode('Relu', [match.value('x')], match.root.outputs)] }),
}

const numberOf = (constant: Initializer): number => numbers(denseOf(constant))[0]!

/** x * k1 * k2 is x * (k1 * k2). */
const scale: Rule = {
  name: 'scale',
  pattern: { op: 'Mul', inputs: [{ op: 'Mul', inputs: ['x', 'k1'] }, 'k2'] },
  replace(match) {
    const [k1, k2] = [match.constant('k1'), match.constant('k2')]
    if (k1 === undefined || k2 === undefined) return undefined
    const k = match.fresh('k')
    const product = numberOf(k1) * numberOf(k2)
    return {
      nodes: [makeNode('Mul', [match.value('x'), k], match.root.outputs)],
      initializers: new Map([[k, float32([product])]]),
    }
  },
}

const ops = (graph: Graph): string =>
  graph.nodes.map(node => `${node.outputs} = ${node.op}(${node.inputs})`).join('; ')

describe('rewriting', () => {
  test('goes on until nothing matches, and keeps names of outputs', () => {
    const graph = on((g, a) => {
      let value = a
      for (let i = 0; i < 5; i++) value = g.node('Relu', [value])
      return g.node('Relu', [value], {}, { outputs: ['y'] })
    })
    expect(ops(validate(rewrite(graph, [once])))).toBe('y = Relu(a)')
  })
  test('keeps inner nodes that something else uses, in a body too, or that are outputs', () => {
    const graph = on((g, a, b) => {
      const first = g.node('Relu', [a], {}, { outputs: ['r1'] })
      const second = g.node('Relu', [first], {}, { outputs: ['r2'] })
      const third = g.node('Relu', [g.node('Relu', [b], {}, { outputs: ['s1'] })], {}, { outputs: ['s2'] })
      const body = graphOf(inner => inner.node('Neg', [outer('s1')]))
      return [second, first, third, g.node('If', [b], { then_branch: body }, { outputs: ['t'] })]
    })
    expect(ops(validate(rewrite(graph, [once])))).toBe(
      'r1 = Relu(a); r2 = Relu(a); s1 = Relu(b); s2 = Relu(b); t = If(b)',
    )
  })
  test('adds constants and removes those without use', () => {
    const graph = graphOf(g => {
      const factor = (value: number): Handle => g.constant(float32([value]))
      const x = g.node('Mul', [g.input('x', 'float32'), factor(2)])
      return g.node('Mul', [g.node('Mul', [x, factor(3)]), factor(5)], {}, { outputs: ['y'] })
    })
    const result = validate(rewrite(graph, [scale]))
    expect(ops(result)).toBe('y = Mul(x,k_1)')
    expect([...result.initializers]).toEqual([['k_1', float32([30])]])
  })
  test('may replace a node by a constant', () => {
    const zero: Rule = {
      name: 'zero',
      pattern: { op: 'Sub', inputs: ['x', 'x'] },
      replace: ({ root }) => ({ nodes: [], initializers: new Map([[root.outputs[0]!, float32([0])]]) }),
    }
    const graph = on((g, a) => g.node('Relu', [g.node('Sub', [a, a])]))
    const result = validate(rewrite(graph, [zero]))
    expect(ops(result)).toBe('relu_1 = Relu(sub_1)')
    expect([...result.initializers]).toEqual([['sub_1', float32([0])]])
  })
  test('replaces a node of several outputs, of which those without use need not be made', () => {
    const split: Rule = {
      name: 'split',
      pattern: { op: 'Split', inputs: ['x'] },
      replace: ({ root, value, uses }) => ({
        nodes: root.outputs
          .filter(name => uses.consumers.has(name))
          .map((name, index) => makeNode(`Part${index}`, [value('x')], [name])),
      }),
    }
    const graph = on((g, a) => {
      const [p, , q] = g.nodes('Split', [a], {}, { outputs: ['p', 'unused', 'q'] })
      return [g.node('Relu', [p!]), g.node('Neg', [q!])]
    })
    expect(ops(validate(rewrite(graph, [split])))).toBe(
      'p = Part0(a); q = Part1(a); relu_1 = Relu(p); neg_1 = Neg(q)',
    )
  })
  test('puts nodes in order, whatever a replacement reads', () => {
    const late: Rule = {
      name: 'late',
      pattern: { op: 'Neg', inputs: ['x'] },
      replace: ({ root }) => ({
        nodes: [makeNode('Add', ['u', 'v'], root.outputs), makeNode('Two', [], ['u'])],
      }),
    }
    const graph = on((g, a, b) => [g.node('Neg', [a]), g.node('Relu', [b], {}, { outputs: ['v'] })])
    expect(ops(validate(rewrite(graph, [late])))).toBe('u = Two(); v = Relu(b); neg_1 = Add(u,v)')
  })
  test('earlier rules go first, also on what later ones have made', () => {
    const log: string[] = []
    const turn = (from: string, to: string): Rule => ({
      name: `${from} to ${to}`,
      pattern: { op: from, inputs: ['x'] },
      replace: ({ root, value }) => ({ nodes: [makeNode(to, [value('x')], root.outputs)] }),
    })
    const graph = on((g, a, b) => [g.node('B', [a]), g.node('A', [b])])
    const onRewrite = ({ name }: Rule, { root }: { root: Node }): number =>
      log.push(`${root.outputs[0]} ${name}`)
    rewrite(graph, [turn('A', 'B'), turn('B', 'C'), turn('C', 'D')], { onRewrite })
    expect(log).toEqual(['a_1 A to B', 'b_1 B to C', 'a_1 B to C', 'b_1 C to D', 'a_1 C to D'])
  })
  test('does not enter bodies', () => {
    const body = graphOf(g => g.node('Relu', [g.node('Relu', [outer('a')])]))
    const graph = on((g, _, b) => g.node('If', [b], { then_branch: body }))
    expect(rewrite(graph, [once])).toBe(graph)
    expect(ops(rewrite(body, [once]))).toBe('relu_2 = Relu(a)')
  })
  test('gives the graph itself when there is nothing to do, and removes what has no use when there is not', () => {
    const graph = on((g, a) => g.node('Relu', [a]))
    expect(rewrite(graph, [once, scale])).toBe(graph)
    expect(rewrite(graph, [])).toBe(graph)
    const untidy = on((g, a, b) => {
      g.node('Neg', [b])
      return g.node('Relu', [a])
    })
    expect(ops(rewrite(untidy, [once]))).toBe('relu_1 = Relu(a)')
  })
  test('shows rules the graph as it is', () => {
    const seen: string[] = []
    const look: Rule = {
      ...once,
      replace(match) {
        seen.push(ops(match.graph))
        return once.replace(match)
      },
    }
    const graph = on((g, a) => g.node('Relu', [g.node('Relu', [g.node('Relu', [a])])]))
    expect(dump(rewrite(graph, [look]))).toContain('relu_3 = Relu(a)')
    expect(seen).toEqual([
      'relu_1 = Relu(a); relu_2 = Relu(relu_1); relu_3 = Relu(relu_2)',
      'relu_2 = Relu(a); relu_3 = Relu(relu_2)',
    ])
  })
})

describe('rules that go wrong', () => {
  const graph = on((g, a, b) => [
    g.node('Neg', [a], {}, { outputs: ['n'] }),
    g.node('Relu', [b], {}, { outputs: ['r'] }),
  ])
  const negated = (replace: Rule['replace']): Rule => ({
    name: 'bad',
    pattern: { op: 'Neg', inputs: ['x'] },
    replace,
  })
  const constant = (name: string): ReadonlyMap<string, ReturnType<typeof float32>> =>
    new Map([[name, float32([1])]])

  test.each<[string, Rule['replace'], string]>([
    [
      'make no output',
      () => ({ nodes: [] }),
      'tensor "n": rule bad does not make an output of the node it replaces',
    ],
    [
      'make a value of another node',
      () => ({ nodes: [makeNode('Op', [], ['n', 'r'])] }),
      'tensor "r": rule bad makes a value that is made elsewhere',
    ],
    [
      'make a value twice',
      () => ({ nodes: [makeNode('Op', [], ['n']), makeNode('Op', [], ['n'])] }),
      'tensor "n": rule bad makes a value that is made elsewhere',
    ],
    [
      'name a constant as an input',
      () => ({ nodes: [makeNode('Op', [], ['n'])], initializers: constant('a') }),
      'tensor "a": rule bad gives a constant the name of another value',
    ],
    [
      'name a constant as a value they make',
      () => ({ nodes: [makeNode('Op', [], ['n'])], initializers: constant('n') }),
      'tensor "n": rule bad gives a constant the name of another value',
    ],
  ])('%s', (_, replace, message) => {
    expect(() => rewrite(graph, [negated(replace)])).toThrow(
      expect.objectContaining({ code: 'bad-argument', message }),
    )
  })
  test('feed a node from itself', () => {
    const rule = negated(() => ({ nodes: [makeNode('A', ['m'], ['n']), makeNode('B', ['n'], ['m'])] }))
    expect(() => rewrite(graph, [rule])).toThrow(expect.objectContaining({ code: 'invalid-graph' }))
  })
  test('never end', () => {
    const again = negated(({ root, value }) => ({ nodes: [makeNode('Neg', [value('x')], root.outputs)] }))
    let count = 0
    const options = { limit: 50, onRewrite: () => count++ }
    expect(() => rewrite(graph, [once, again], options)).toThrow(
      expect.objectContaining({
        code: 'no-convergence',
        message:
          'the rules still match after 50 replacements: once, bad. A rule may undo another, or match what it made: let it decline',
      }),
    )
    expect(count).toBe(50)
    expect(() => rewrite(graph, [again])).toThrow('after 1020 replacements')
  })
  test('a limit that is just enough is enough', () => {
    const two = on((g, a) => g.node('Relu', [g.node('Relu', [g.node('Relu', [a])])]))
    expect(rewrite(two, [once], { limit: 2 }).nodes.length).toBe(1)
    expect(() => rewrite(two, [once], { limit: 1 })).toThrow('after 1 replacements')
  })
})

test('work grows with the number of replacements and not with the size of the graph each time', () => {
  // Relu(Relu(x)) + shared, again and again: 8,000 nodes, 2,000 matches of which the rule sees each once.
  let calls = 0
  const counted: Rule = {
    ...once,
    replace(match) {
      calls++
      return once.replace(match)
    },
  }
  const graph = graphOf(g => {
    let value = g.input('x', 'float32')
    const shared = g.constant(float32([1]))
    for (let i = 0; i < 2000; i++) {
      value = g.node('Relu', [g.node('Relu', [value])])
      value = g.node('Mul', [g.node('Add', [value, shared]), shared])
    }
    return value
  })
  const result = rewrite(graph, [counted, scale])
  expect(result.nodes.length).toBe(6000)
  expect(calls).toBe(2000)
})
