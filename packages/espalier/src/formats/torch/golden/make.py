"""Makes the golden checkpoints in this folder, with contents that index.test.ts can compute.

Run with any PyTorch from 1.13 on, in this folder: python3 make.py. The files kept here are those of 1.13.
"""
import argparse
import base64
import collections
import datetime
import json
import pathlib
import pickle

import numpy
import torch
from torch import nn


def count(*shape, dtype=torch.float32):
    """0, 1, 2, ... in the given shape."""
    size = int(numpy.prod(shape))
    return torch.arange(size, dtype=torch.float64).reshape(shape).to(dtype)


def tensors():
    base = count(4, 6)
    dtypes = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
              torch.int8, torch.uint8, torch.complex64, torch.complex128]
    result = {str(dtype).replace('torch.', ''): count(2, 3, dtype=dtype) for dtype in dtypes}
    result['bool'] = count(2, 3) % 2 == 1
    result['contiguous'] = base
    result['transposed'] = base.t()
    result['slice'] = base[1:3]
    result['strided'] = base[1:, 1::2]
    result['flat'] = base.view(-1)
    result['scalar'] = torch.tensor(3.5)
    result['empty'] = torch.zeros(0, 3)
    result['expanded'] = torch.tensor([1.0, 2.0]).expand(3, 2)
    result['permuted'] = count(2, 3, 4, dtype=torch.int16).permute(2, 0, 1)
    result['wide'] = count(2, 3, dtype=torch.int64).t()
    result['wider'] = count(2, 3, dtype=torch.complex128).t()
    result['channels_last'] = count(1, 2, 2, 2).to(memory_format=torch.channels_last)
    return result


def network():
    torch.manual_seed(0)
    result = nn.Sequential(nn.Linear(3, 2, bias=False), nn.BatchNorm1d(2))
    with torch.no_grad():
        result[0].weight.copy_(count(2, 3))
    return result


def training():
    """A checkpoint as training scripts write it."""
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.25)
    model(count(2, 3)).sum().backward()
    optimizer.step()
    with torch.no_grad():
        model[0].weight.copy_(count(2, 3))
    args = argparse.Namespace(arch='tiny', layers=[3, 2], out=pathlib.PosixPath('runs/1'))
    return {'epoch': 7, 'best': 91.5, 'note': 'tïny', 'model_state_dict': model.state_dict(),
            'optimizer': optimizer.state_dict(), 'args': args}


def objects():
    """One of every kind of value."""
    attributed = nn.Parameter(count(2))
    attributed.tag = 'head'
    return {
        'none': None, 'true': True, 'int': -3, 'long': 2**70, 'negative': -(2**40), 'float': 0.1, 'text': 'ä',
        'bytes': b'\x00\xff', 'bytearray': bytearray(b'ab'), 'complex': 1 + 2j, 'list': [1, [2]], 'tuple': (1, (2,)),
        'set': {1, 2}, 'frozenset': frozenset({3}), (0, 'pair'): 'tuple key', 5: 'number key',
        'ordered': collections.OrderedDict(a=1), 'default': collections.defaultdict(list, a=[1]),
        'counter': collections.Counter('aab'), 'deque': collections.deque([1, 2], maxlen=3),
        'size': torch.Size([2, 3]), 'device': torch.device('cuda', 1), 'dtype': torch.bfloat16,
        'date': datetime.date(2024, 2, 29), 'type': torch.optim.SGD, 'parameter': nn.Parameter(count(2)),
        'attributed': attributed, 'storage': count(4, dtype=torch.int32).storage(),
        'array': numpy.arange(6, dtype=numpy.float32).reshape(2, 3),
        'fortran': numpy.asfortranarray(numpy.arange(6, dtype=numpy.int64).reshape(2, 3)),
        'big': numpy.arange(3, dtype='>i2'), 'words': numpy.array(['a', 'bcd']), 'flags': numpy.array([True, False]),
        'float32': numpy.float32(0.5), 'int64': numpy.int64(2**60), 'bool_': numpy.bool_(True),
    }


def values():
    """What every protocol can hold, each in its own way."""
    shared = [1]
    recursive = []
    recursive.append(recursive)
    return {
        'constants': [None, True, False],
        'integers': [0, -1, 255, 256, 65536, 2**31 - 1, -(2**31), 2**31, 2**53 - 1, 2**53, -(2**70), 2**3000],
        'floats': [0.0, -0.5, 1e300, float('inf'), float('-inf')],
        'text': ['', "a'b\"c", 'line\nfeed \\u0041', 'ä🌿', 'x' * 300],
        'bytes': [b'', b'\0\xff\n', b'x' * 300, bytearray(b'ab')],
        'tuples': [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        'sets': [set(), {1, 2}, frozenset([3])],
        'dicts': [{}, {'a': 1, 2: None, (3, 4): 'tuple'}, collections.OrderedDict([('b', 1), ('a', 2)])],
        'shared': [shared, shared],
        'recursive': recursive,
        'object': argparse.Namespace(a=1, b=[2]),
        'complex': 1.5 - 2j,
        'global': collections.OrderedDict,
    }


def legacy_around(pickled):
    """A legacy checkpoint around an object that was pickled without PyTorch's help."""
    parts = [torch.serialization.MAGIC_NUMBER, torch.serialization.PROTOCOL_VERSION, {}]
    return b''.join(pickle.dumps(part, protocol=2) for part in parts) + pickled + pickle.dumps([], protocol=2)


recursive = [count(2)]
recursive.append(recursive)

torch.save(tensors(), 'tensors.pt')
torch.save(tensors(), 'tensors-legacy.pt', _use_new_zipfile_serialization=False)
torch.save(training(), 'training.pt')
torch.save(training(), 'training-legacy.pt', _use_new_zipfile_serialization=False, pickle_protocol=4)
torch.save(objects(), 'objects.pt')
torch.save(objects(), 'objects-protocol-1.pt', _use_new_zipfile_serialization=False, pickle_protocol=1)
torch.save(objects(), 'objects-protocol-5.pt', pickle_protocol=5)
torch.save(network(), 'module.pt')
torch.save(recursive, 'recursive.pt')
torch.save(torch.sparse_coo_tensor([[0, 1], [1, 0]], [1.0, 2.0]), 'sparse.pt')
torch.save(torch.quantize_per_tensor(count(4), 0.5, 0, torch.qint8), 'quantized.pt')
torch.jit.save(torch.jit.script(nn.ReLU()), 'torchscript.pt')
with open('values.json', 'w') as file:
    json.dump([base64.b64encode(pickle.dumps(values(), protocol)).decode() for protocol in range(6)], file, indent=0)
    file.write('\n')
with open('plain-tensor.pt', 'wb') as file:
    file.write(legacy_around(pickle.dumps({'w': count(2, 3)}, protocol=2)))
