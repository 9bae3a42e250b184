/**
 * The functions of PyTorch that its pickles call to make tensors, as operations on plain data, and the classes
 * that its pickles mention. Sources: `torch/_utils.py`, `torch/_tensor.py`, `torch/storage.py`. Tensors that are
 * not plain arrays - sparse, quantised, nested, on no device - are refused by name.
 */
import { EspalierError } from '../../errors.ts'
import { badCall } from './pickle/builtins.ts'
import type { GlobalRule, PickleContext, PickleFunction } from './pickle/machine.ts'
import { isPyObject, isPyTensor, type PyTensor, type PyValue } from './pickle/python.ts'
import { dtypeOf, isStorageClass, isTorchDType } from './storage.ts'
import { type TensorView, tensorView } from './view.ts'

/** The tensors of a pickle and where their elements are. They have no data until that is loaded. */
export type Views = Map<PyTensor, TensorView>

/** Tensors of kinds that are not implemented, by the function that would make them. */
const unsupported: ReadonlyMap<string, string> = new Map([
  ['torch._utils._rebuild_qtensor', 'quantised tensors'],
  ['torch._utils._rebuild_sparse_tensor', 'sparse tensors'],
  ['torch._utils._rebuild_sparse_csr_tensor', 'sparse tensors'],
  ['torch._utils._rebuild_nested_tensor', 'nested tensors'],
  ['torch._utils._rebuild_meta_tensor_no_storage', 'tensors without data (device "meta")'],
  ['torch._utils._rebuild_wrapper_subclass', 'tensors of a class of their own'],
  ['torch._utils._rebuild_device_tensor_from_numpy', 'tensors of special devices'],
  ['torch._utils._rebuild_xla_tensor', 'tensors of special devices'],
])

/** Classes of PyTorch whose instances hold data and are of use as such. */
const INERT =
  /^torch\.(nn\.modules|optim)(\.[a-z]\w*)+\.[A-Z]\w*$|^torch\.(device|Generator|torch_version\.TorchVersion|serialization\._get_layout)$/

/** Rules for the names of PyTorch; every tensor that is made is entered in `views`. */
export function torchGlobals(
  views: Views,
  loadFromBytes: (bytes: Uint8Array, context: PickleContext) => PyValue,
): (name: string) => GlobalRule | undefined {
  const make = (view: TensorView, requiresGrad: PyValue | undefined): PyTensor => {
    const made = { type: 'tensor', tensor: undefined, requiresGrad: requiresGrad === true }
    const result = made as unknown as PyTensor // `tensor` is set when its data is loaded
    views.set(result, view)
    return result
  }

  /** The same tensor, as a parameter or a variable. */
  const wrap = (name: string, args: readonly PyValue[]): PyTensor => {
    const [data, requiresGrad] = args
    const view = isPyTensor(data) ? views.get(data) : undefined
    if (view === undefined) throw badCall(name, args)
    return make(view, requiresGrad)
  }

  /**
   * `(function, class, arguments, state)`: tensors with attributes, and subclasses, which are plain tensors here; or
   * an inert object, where the function is not known.
   */
  const fromType = (args: readonly PyValue[], context: PickleContext): PyValue => {
    const [rebuild, , inner] = args
    if (args.length !== 4) throw badCall('_rebuild_from_type', args)
    const result = context.call(rebuild!, inner!)
    if (isPyTensor(result) || isPyObject(result)) return result
    throw badCall('_rebuild_from_type', args)
  }

  const functions = new Map<string, PickleFunction>([
    ['torch._utils._rebuild_tensor', args => make(tensorView(args[0], args[1], args[2], args[3]), false)],
    [
      'torch._utils._rebuild_tensor_v2', // storage, offset, size, stride, requires_grad, hooks, metadata
      args => {
        refuseMathBits(args[6])
        return make(tensorView(args[0], args[1], args[2], args[3]), args[4])
      },
    ],
    [
      'torch._utils._rebuild_tensor_v3', // storage, offset, size, stride, requires_grad, hooks, dtype, metadata
      args => {
        refuseMathBits(args[7])
        return make(tensorView(args[0], args[1], args[2], args[3], dtypeOf(args[6])), args[4])
      },
    ],
    ['torch._utils._rebuild_parameter', args => wrap('_rebuild_parameter', args)],
    ['torch._utils._rebuild_parameter_with_state', args => wrap('_rebuild_parameter_with_state', args)],
    ['torch.nn.parameter.Parameter', args => wrap('Parameter', args)],
    ['torch.nn.parameter.Buffer', args => wrap('Buffer', args)],
    ['torch.autograd.variable.Variable', args => wrap('Variable', args)],
    ['torch._tensor._rebuild_from_type', fromType],
    ['torch._tensor._rebuild_from_type_v2', fromType],
    ['torch.Size', args => (Array.isArray(args[0]) ? args[0] : refuse('Size', args))],
    [
      'torch.storage._load_from_bytes',
      (args, context) => {
        const [bytes] = args
        if (!(bytes instanceof Uint8Array)) throw badCall('_load_from_bytes', args)
        context.charge(bytes.length)
        return loadFromBytes(bytes, context)
      },
    ],
  ])

  return name => {
    const known = functions.get(name)
    if (known !== undefined) return known
    const kind = unsupported.get(name)
    if (kind !== undefined)
      throw new EspalierError('unsupported-format', `${kind} are not supported`, { got: name })
    if (INERT.test(name)) return 'inert'
    return name === 'torch.Tensor' || isStorageClass(name) || isTorchDType(name) ? 'data' : undefined
  }
}

function refuse(name: string, args: readonly PyValue[]): never {
  throw badCall(name, args)
}

/** Conjugate and negative views are arithmetic that is still to be done. */
function refuseMathBits(metadata: PyValue | undefined): void {
  if (metadata instanceof Map && (metadata.get('conj') === true || metadata.get('neg') === true))
    throw new EspalierError('unsupported-format', 'lazily conjugated or negated tensors are not supported', {
      hint: 'Save tensor.resolve_conj().resolve_neg()',
    })
}
