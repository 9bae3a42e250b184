/**
 * A graph while it is rewritten: nodes are exchanged in place, with producers and consumers kept up to date, so that
 * a replacement costs what it touches and not the size of the graph.
 */
import { EspalierError } from '../errors.ts'
import { type Graph, type Initializer, type Node, nodeName } from './graph.ts'
import { defaultsOf } from './inputs.ts'
import { freshNames, namesIn } from './names.ts'
import { sortNodes } from './order.ts'
import { pieceOf } from './piece.ts'
import { readsOf, type Uses, usesOf } from './uses.ts'

export class Workspace {
  /** A name for a value or node that nothing else has. */
  readonly fresh: (stem: string) => string
  readonly #base: Graph
  readonly #inputs: ReadonlySet<string>
  readonly #outputs: ReadonlySet<string>
  readonly #defaults: ReadonlySet<string>
  /** Names that are in use or were; found when a new one is first asked for. */
  #taken: Set<string> | undefined
  readonly #initializers: Map<string, Initializer>
  readonly #producer: Map<string, Node>
  readonly #consumers: Map<string, readonly Node[]>
  /** What stands in the place of a node that was replaced. */
  readonly #replaced = new Map<Node, readonly Node[]>()
  readonly #alive: Set<Node>
  #nodes: readonly Node[]
  #sorted = true
  #changed = false

  constructor(graph: Graph) {
    this.#base = graph
    this.#inputs = new Set(graph.inputs.map(({ name }) => name))
    this.#outputs = new Set(graph.outputs.map(({ name }) => name))
    this.#defaults = defaultsOf(graph)
    let next: ((stem: string) => string) | undefined
    this.fresh = stem => {
      if (next === undefined) {
        this.#taken = this.#allNames()
        next = freshNames(this.#taken)
      }
      return next(stem)
    }
    this.#initializers = new Map(graph.initializers)
    const { producer, consumers } = usesOf(graph)
    this.#producer = new Map(producer)
    this.#consumers = new Map(consumers)
    this.#nodes = graph.nodes
    this.#alive = new Set(this.#nodes)
  }

  /** Producers and consumers now; the lists are in no particular order. */
  get uses(): Uses {
    return { producer: this.#producer, consumers: this.#consumers }
  }

  /** The nodes now, in order. The list stays as it is when nodes are replaced. */
  nodes(): readonly Node[] {
    if (!this.#sorted) {
      const nodes = this.#nodes.flatMap(node => this.#standIns(node))
      this.#replaced.clear()
      this.#nodes = sortNodes({ ...this.#base, nodes }).nodes
      this.#sorted = true
    }
    return this.#nodes
  }

  /** Whether a node is still part of the graph. */
  has(node: Node): boolean {
    return this.#alive.has(node)
  }

  /** The value of an initialiser that no caller can override. */
  constant(name: string): Initializer | undefined {
    return this.#defaults.has(name) ? undefined : this.#initializers.get(name)
  }

  /** The graph now, in order; the very graph it was made from when nothing was to be changed. */
  graph(): Graph {
    if (!this.#changed) return this.#base
    return pieceOf(this.#base, {
      inputs: this.#base.inputs,
      outputs: this.#base.outputs,
      nodes: this.nodes(),
      initializers: new Map(this.#initializers),
    })
  }

  /**
   * Puts `nodes` in the place of `roots`, whose outputs they must make, and removes what then has no use. They stand
   * where the first root was. Throws `bad-argument`, speaking of `who`, where a value is missing or made twice.
   */
  replace(
    roots: Node | readonly Node[],
    nodes: readonly Node[],
    initializers: ReadonlyMap<string, Initializer>,
    who: string,
  ): void {
    const list = 'op' in roots ? [roots] : roots
    this.#check(list, nodes, initializers, who)
    this.#changed = true
    this.#sorted = false
    for (const root of list) this.#remove(root)
    for (const [index, root] of list.entries()) this.#replaced.set(root, index === 0 ? nodes : [])
    for (const [name, value] of initializers) {
      this.#taken?.add(name)
      this.#initializers.set(name, value)
    }
    for (const node of nodes) this.#add(node)
    const made = nodes.flatMap(node => node.outputs)
    this.#collect([...list.flatMap(readsOf), ...made, ...initializers.keys()])
  }

  #check(
    roots: readonly Node[],
    nodes: readonly Node[],
    initializers: ReadonlyMap<string, Initializer>,
    who: string,
  ): void {
    const fail = (what: string, name: string): EspalierError =>
      new EspalierError('bad-argument', `${who} ${what}`, { where: { tensor: name } })
    const exists = (name: string): boolean =>
      this.#producer.has(name) || this.#initializers.has(name) || this.#inputs.has(name)
    const free = new Set(roots.flatMap(root => root.outputs))
    const made = new Set<string>()
    for (const name of nodes.flatMap(node => node.outputs)) {
      if (name === '') continue
      if (made.has(name) || (exists(name) && !free.has(name)))
        throw fail('makes a value that is made elsewhere', name)
      made.add(name)
    }
    for (const [name, value] of initializers) {
      const isNew = !exists(name) || free.has(name) || this.#initializers.get(name) === value
      if (made.has(name) || !isNew) throw fail('gives a constant the name of another value', name)
      made.add(name)
    }
    const isMissed = (name: string): boolean =>
      this.#outputs.has(name) ||
      (this.#consumers.get(name) ?? []).some(consumer => !roots.includes(consumer)) ||
      nodes.some(node => readsOf(node).includes(name))
    for (const name of free)
      if (name !== '' && !made.has(name) && isMissed(name))
        throw fail('does not make an output of the node it replaces', name)
  }

  #allNames(): Set<string> {
    const names = namesIn(this.#base)
    for (const name of this.#initializers.keys()) names.add(name)
    for (const node of this.#alive) for (const name of [nodeName(node), ...node.outputs]) names.add(name)
    return names
  }

  #add(node: Node): void {
    this.#alive.add(node)
    this.#taken?.add(nodeName(node))
    for (const name of node.outputs) {
      if (name === '') continue
      this.#taken?.add(name)
      this.#producer.set(name, node)
    }
    for (const name of new Set(readsOf(node)))
      this.#consumers.set(name, [...(this.#consumers.get(name) ?? []), node])
  }

  #remove(node: Node): void {
    this.#alive.delete(node)
    for (const name of node.outputs) this.#producer.delete(name)
    for (const name of new Set(readsOf(node))) {
      const others = this.#consumers.get(name)?.filter(consumer => consumer !== node) ?? []
      if (others.length > 0) this.#consumers.set(name, others)
      else this.#consumers.delete(name)
    }
  }

  #isUsed(name: string): boolean {
    return this.#outputs.has(name) || this.#consumers.has(name)
  }

  /** Removes what makes one of `names` and has no use, and what that was the last to use. */
  #collect(names: string[]): void {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      if (name === '' || this.#isUsed(name)) continue
      if (!this.#inputs.has(name)) this.#initializers.delete(name)
      const maker = this.#producer.get(name)
      if (maker === undefined || maker.outputs.some(output => this.#isUsed(output))) continue
      this.#remove(maker)
      for (const read of readsOf(maker)) names.push(read)
    }
  }

  /** What is now where a node of the list was. */
  #standIns(node: Node): readonly Node[] {
    if (this.#alive.has(node)) return [node]
    return (this.#replaced.get(node) ?? []).flatMap(stand => this.#standIns(stand))
  }
}
