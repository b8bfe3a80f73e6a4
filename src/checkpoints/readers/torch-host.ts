import type { Fail, PickleGlobal, PickleHost, PickleValue } from '../pickle/types.ts';
import { NUMBER_BYTES, type NumberFormat } from './numbers.ts';
import { asStorage, asTensor, hosted, type TorchStorage } from './torch-values.ts';

/**
 * What a PyTorch pickle may refer to: tensors, storages, and a few things that stand beside
 * weights in checkpoints of training runs. All of them become plain data; none runs.
 */
export const torchHost: PickleHost = {
  knows: ({ module, name }) =>
    storageFormat(module, name) !== undefined || CALLS.has(`${module}.${name}`) || isInert(module, name),
  call(global, args, fail) {
    const call = CALLS.get(`${global.module}.${global.name}`);
    if (call) return call(args, fail);
    if (!isInert(global.module, global.name))
      throw fail(`calls ${global.module}.${global.name}, which is no function`);
    return hosted({ type: 'inert', name: `${global.module}.${global.name}` });
  },
  load: loadStorage,
};

const STORAGES: ReadonlyMap<string, NumberFormat> = new Map([
  ['DoubleStorage', 'F64'],
  ['FloatStorage', 'F32'],
  ['HalfStorage', 'F16'],
  ['BFloat16Storage', 'BF16'],
  ['LongStorage', 'I64'],
  ['IntStorage', 'I32'],
  ['ShortStorage', 'I16'],
  ['CharStorage', 'I8'],
  ['ByteStorage', 'U8'],
  ['BoolStorage', 'BOOL'],
]);

type Call = (args: readonly PickleValue[], fail: Fail) => PickleValue;

const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['collections.OrderedDict', dictionaryOf],
  ['collections.defaultdict', () => new Map()],
  ['collections.Counter', () => new Map()],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch.Size', ([sizes = []]) => sizes],
]);

/** Names that are carried but tell nothing: never called in Python's sense, only marked. */
const INERT: ReadonlySet<string> = new Set([
  'torch.device',
  'argparse.Namespace',
  'numpy.dtype',
  'numpy.core.multiarray.scalar',
  'numpy._core.multiarray.scalar',
  '_codecs.encode',
  '__builtin__.set',
  'builtins.set',
  '__builtin__.list',
  'builtins.list',
  '__builtin__.dict',
  'builtins.dict',
  '__builtin__.int',
  'builtins.int',
]);

const TORCH_DTYPE = /^(float|bfloat|int|uint|complex)\d+$|^(float|double|half|long|int|short|bool)$/;

function isInert(module: string, name: string): boolean {
  return INERT.has(`${module}.${name}`) || (module === 'torch' && TORCH_DTYPE.test(name));
}

function storageFormat(module: string, name: string): NumberFormat | undefined {
  return module === 'torch' || module === 'torch.cuda' ? STORAGES.get(name) : undefined;
}

/** Python 2 wrote the pairs as an argument; later versions set the items afterwards. */
function dictionaryOf([pairs = []]: readonly PickleValue[], fail: Fail): PickleValue {
  if (!Array.isArray(pairs)) throw fail('an OrderedDict of something that is no list of pairs');
  const dictionary = new Map<PickleValue, PickleValue>();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw fail('an OrderedDict of something that is no list of pairs');
    dictionary.set(pair[0] ?? null, pair[1] ?? null);
  }
  return dictionary;
}

/** (storage, offset, size, stride, …): what follows concerns gradients. */
function rebuildTensor(args: readonly PickleValue[], fail: Fail): PickleValue {
  const [storageValue, offset, shape, strides] = args;
  const storage = asStorage(storageValue);
  if (!storage) throw fail('a tensor without a storage');
  if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length) {
    throw fail('a tensor whose offset, size or stride are no whole numbers of 0 or more');
  }
  if (shape.length > MAX_RANK)
    throw fail(`a tensor of ${shape.length} dimensions, expected at most ${MAX_RANK}`);
  return hosted({ type: 'tensor', storage, offset, shape, strides });
}

const MAX_RANK = 16;

function rebuildParameter([data = null]: readonly PickleValue[], fail: Fail): PickleValue {
  if (!asTensor(data)) throw fail('a parameter that is no tensor');
  return data;
}

/**
 * ('storage', type, key, location, elements[, view]); a view is (key, offset,
 * elements) of the storage itself.
 */
function loadStorage(id: PickleValue, fail: Fail): PickleValue {
  const [tag, type, key, , count, view = null] = Array.isArray(id) ? id : [];
  if (tag !== 'storage' || typeof key !== 'string' || !isCount(count)) {
    throw fail('a persistent id that is no storage');
  }
  const storage = {
    type: 'storage',
    key,
    count,
    viewOffset: viewOffset(view, fail),
    ...formatOf(type, fail),
  };
  return hosted(storage satisfies object as TorchStorage);
}

function viewOffset(view: PickleValue, fail: Fail): number {
  if (view === null) return 0;
  const offset = Array.isArray(view) ? view[1] : undefined;
  if (!isCount(offset)) throw fail('a view of a storage without an offset');
  return offset;
}

function formatOf(type: PickleValue | undefined, fail: Fail): Pick<TorchStorage, 'dtype' | 'format'> {
  const global =
    typeof type === 'object' && type !== null && 'kind' in type && type.kind === 'global' ? type : undefined;
  const format = global && storageFormat(global.module, global.name);
  if (!format) throw fail('a storage of no known type');
  return { dtype: dtypeName(global), format };
}

function dtypeName({ module, name }: PickleGlobal): string {
  return `${module}.${name}`;
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

/** Bytes that a storage's elements take. */
export function storageBytes({ count, format }: Pick<TorchStorage, 'count' | 'format'>): number {
  return count * NUMBER_BYTES[format];
}
