import { countOf } from '../checkpoint.ts';
import type { Fail, PickleHost, PickleValue } from '../pickle/types.ts';
import { NUMBER_BYTES, type NumberFormat } from './numbers.ts';
import { asArray, asDtype, hosted, type NumpyState } from './numpy-values.ts';

/**
 * What a pickle of numpy arrays refers to: an array to be filled, and the
 * format of its numbers. Both become data; none runs.
 */
export const numpyHost: PickleHost = {
  knows: ({ module, name }) => KNOWN.has(`${module}.${name}`),
  call({ module, name }, args, fail) {
    if (name === '_reconstruct') return hosted({ type: 'array' });
    if (name === 'dtype') return dtypeOf(args, fail);
    throw fail(`calls ${module}.${name}, which is no function`);
  },
  load: (_, fail) => {
    throw fail('refers to something outside of it');
  },
  build(object, state, fail) {
    const [array, dtype] = [asArray(object), asDtype(object)];
    if (array) array.state = stateOf(state, fail);
    else if (dtype) dtype.littleEndian = isLittleEndian(state, fail);
  },
};

const KNOWN: ReadonlySet<string> = new Set([
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray._reconstruct',
  'numpy.ndarray',
  'numpy.dtype',
]);

const FORMATS: Readonly<Record<string, NumberFormat>> = { f8: 'F64', f4: 'F32', f2: 'F16' };

function dtypeOf([name]: readonly PickleValue[], fail: Fail): PickleValue {
  if (typeof name !== 'string') throw fail('a type of numbers without a name');
  const format = FORMATS[name];
  if (format === undefined)
    throw fail(`numbers of type ${name}, expected ${Object.keys(FORMATS).join(', ')}`);
  return hosted({ type: 'dtype', name, format, littleEndian: true });
}

/** (3, byte order, …): what follows belongs to records. */
function isLittleEndian(state: PickleValue, fail: Fail): boolean {
  const order = Array.isArray(state) ? state[1] : undefined;
  if (order === '<' || order === '=' || order === '|') return true;
  if (order === '>') return false;
  throw fail('a type of numbers without a byte order');
}

/** (1, shape, type, whether in Fortran's order, bytes) */
function stateOf(state: PickleValue, fail: Fail): NumpyState {
  const [, shape, type, fortranOrder, bytes] = Array.isArray(state) ? state : [];
  const dtype = asDtype(type);
  if (!dtype || !isShape(shape) || typeof fortranOrder !== 'boolean' || !(bytes instanceof Uint8Array))
    throw fail('an array whose state is no shape, type, order and bytes');
  const needed = countOf(shape) * NUMBER_BYTES[dtype.format];
  if (bytes.length !== needed)
    throw fail(`an array of ${shape.join('×')} in ${bytes.length} bytes, expected ${needed}`);
  return { shape, dtype, fortranOrder, bytes };
}

const MAX_RANK = 16;

function isShape(value: PickleValue | undefined): value is number[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_RANK &&
    value.every((length) => typeof length === 'number' && Number.isSafeInteger(length) && length >= 0)
  );
}
