import { describe, expect, it } from 'vitest';
import { parseSafetensors, writeSafetensors } from '../../../src/inference/weights/safetensors.ts';

/** A file from any header text and data, right or wrong. */
function file(header: unknown, data: Uint8Array | readonly number[] = []): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const EIGHT = new Uint8Array(8);
const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('safetensors', () => {
  it('gives back what was written, names, shapes, values and order', () => {
    const weights = new Map([
      ['b.weight', { shape: [2, 3], data: Float32Array.of(1, -2.5, 3e-30, 0, -0, 6) }],
      ['a', { shape: [], data: Float32Array.of(7) }],
      ['none', { shape: [0, 4], data: new Float32Array(0) }],
    ]);

    const found = parseSafetensors(writeSafetensors(weights), 'm.safetensors');

    expect(found).toEqual(weights);
    expect([...found.keys()].slice(0, 2)).toEqual(['b.weight', 'a']);
  });

  it('widens F16, BF16 and F64, subnormals and infinities included', () => {
    const header = {
      half: entry('F16', [5], 0, 10),
      brain: entry('BF16', [2], 10, 14),
      double: entry('F64', [1], 14, 22),
      __metadata__: { format: 'pt' },
    };
    const data = new Uint8Array(22);
    const view = new DataView(data.buffer);
    [0x3c00, 0xc100, 0x0001, 0x7c00, 0x3555].forEach((bits, i) => {
      view.setUint16(2 * i, bits, true);
    });
    [0x3fc0, 0xc2f7].forEach((bits, i) => {
      view.setUint16(10 + 2 * i, bits, true);
    });
    view.setFloat64(14, Math.PI, true);

    const found = parseSafetensors(file(header, data), 'm');

    expect([...found.get('half')!.data]).toEqual([1, -2.5, 2 ** -24, Infinity, 0.333251953125]);
    expect([...found.get('brain')!.data]).toEqual([1.5, -123.5]);
    expect([...found.get('double')!.data]).toEqual([Math.fround(Math.PI)]);
    expect(found.size).toBe(3);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(3), /3 bytes long/],
    ['a header longer than the file', file({}).subarray(0, 9), /header of 2 bytes, but the file has 9/],
    ['a huge header length', new Uint8Array(16).fill(0xff), /header of 18446744073709551615 bytes/],
    ['a header that is no JSON', file('{"a":'), /no JSON/],
    ['a header that is a list', file([]), /no JSON object/],
    ['an entry that is no object', file({ 'a.weight': 5 }), /tensor a.weight: the header says nothing/],
    [
      'an unknown dtype',
      file({ steps: entry('I64', [1], 0, 8) }, EIGHT),
      /tensor steps: dtype "I64", expected one of F64, F32, F16, BF16/,
    ],
    ['a dtype of the prototype', file({ a: entry('toString', [2], 0, 8) }, EIGHT), /dtype "toString"/],
    ['a negative dimension', file({ a: entry('F32', [-2], 0, 8) }, EIGHT), /tensor a: shape \[-2\]/],
    [
      'a fractional offset',
      file({ a: entry('F32', [2], 0.5, 8) }, EIGHT),
      /tensor a: data_offsets \[0.5,8\]/,
    ],
    [
      'offsets that are no pair',
      file({ a: { dtype: 'F32', shape: [2], data_offsets: [0] } }, EIGHT),
      /\[0\]/,
    ],
    [
      'a shape that needs other bytes',
      file({ a: entry('F32', [3], 0, 8) }, EIGHT),
      /tensor a: F32 of shape \[3\] needs 12 bytes, its offsets hold 8/,
    ],
    [
      'an end before the beginning',
      file({ a: entry('F32', [2], 8, 0) }, EIGHT),
      /needs 8 bytes, its offsets hold -8/,
    ],
    [
      'a tensor beyond the end',
      file({ a: entry('F32', [4], 0, 16) }, EIGHT),
      /tensor a: ends at byte 16 .* truncated/,
    ],
    [
      'overlapping tensors',
      file({ a: entry('F32', [1], 0, 4), b: entry('F32', [1], 2, 6) }, EIGHT),
      /tensor b: overlaps a, expected to begin at 4/,
    ],
    [
      'a gap between tensors',
      file({ a: entry('F32', [1], 0, 4), b: entry('F16', [1], 6, 8) }, EIGHT),
      /tensor b: leaves a gap after a/,
    ],
    [
      'bytes after the last tensor',
      file({ a: entry('F32', [1], 0, 4) }, EIGHT),
      /4 bytes after its last tensor/,
    ],
    [
      'a name that stands there twice',
      file(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        [0, 0, 0, 0],
      ),
      /names tensor a twice/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    const parse = (): unknown => parseSafetensors(bytes, 'dir/m.safetensors');

    expect(parse).toThrow(message);
    expect(parse).toThrow(/^dir\/m\.safetensors: /);
    expect(parse).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
  });

  it('refuses every truncation of a good file', () => {
    const bytes = writeSafetensors(new Map([['a', { shape: [3], data: Float32Array.of(1, 2, 3) }]]));

    for (let length = 0; length < bytes.length; length++) {
      expect(() => parseSafetensors(bytes.subarray(0, length), 'm')).toThrow(
        expect.objectContaining({ code: 'MODEL_INVALID' }),
      );
    }
  });
});
