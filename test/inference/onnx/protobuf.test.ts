import { describe, expect, test } from 'vitest';
import {
  bytesField,
  floatField,
  intField,
  message,
  messageField,
  repeated,
  stringField,
  toBytes,
} from '../../../src/inference/engines/onnx/protobuf.ts';
import { encodeModel } from '../../../src/inference/engines/onnx/onnx-proto.ts';
import { decodeMessage, readInt64, readText, type Field } from './decode-protobuf.ts';

describe('wire format', () => {
  // The first three are the examples of the protobuf encoding guide.
  test.each([
    ['an int of two bytes', intField(1, 150), '08 96 01'],
    ['a text', stringField(2, 'testing'), '12 07 74 65 73 74 69 6e 67'],
    ['a message in a message', messageField(3, intField(1, 150)), '1a 03 08 96 01'],
    ['zero', intField(1, 0), '08 00'],
    ['a negative int in ten bytes', intField(1, -2), '08 fe ff ff ff ff ff ff ff ff 01'],
    ['a field number above 15', intField(20, 7), 'a0 01 07'],
    ['a float', floatField(2, 1.5), '15 00 00 c0 3f'],
    ['bytes', bytesField(9, Uint8Array.of(1, 2)), '4a 02 01 02'],
    ['nothing', message(undefined), ''],
    ['items one by one', repeated([1, 2], (n) => intField(8, n)), '40 01 40 02'],
  ])('%s', (_, field, hex) => {
    expect(Buffer.from(toBytes(field)).toString('hex')).toBe(hex.replaceAll(' ', ''));
    expect(field.length).toBe(toBytes(field).length);
  });

  test('int64 survives at both ends of its range', () => {
    for (const value of [2n ** 63n - 1n, -(2n ** 63n), -1n, 0n]) {
      expect(readInt64(only(decodeMessage(toBytes(intField(1, value)))))).toBe(value);
    }
  });
});

describe('ONNX model', () => {
  const weights = Float32Array.of(1, -2.5, 3e-8);
  const model = decodeMessage(
    encodeModel({
      name: 'net',
      nodes: [
        {
          op: 'Conv',
          domain: '',
          name: 'c',
          inputs: ['x', 'w'],
          outputs: ['y'],
          attributes: { strides: [1, 2], auto_pad: 'SAME_UPPER', group: 1, alpha: { float: 0.5 } },
        },
      ],
      initializers: [{ name: 'w', shape: [3, 1], data: weights }],
      inputs: [{ name: 'x', type: 'uint8', shape: ['frames', 4] }],
      outputs: [{ name: 'y', type: 'float32', shape: [1] }],
    }),
  );
  const at = (fields: readonly Field[], ...path: readonly number[]): readonly Field[] =>
    path.reduce(
      (level, number) => decodeMessage(only(level.filter((field) => field.number === number)).bytes),
      fields,
    );
  const leaf = (fields: readonly Field[], number: number): Field =>
    only(fields.filter((field) => field.number === number));

  test('states IR version 8 and opset 18', () => {
    expect(readInt64(leaf(model, 1))).toBe(8n);
    expect(readInt64(leaf(at(model, 8), 2))).toBe(18n);
  });

  test('keeps a node with its attributes', () => {
    const node = at(model, 7, 1);
    const attributes = node.filter(({ number }) => number === 5).map(({ bytes }) => decodeMessage(bytes));

    expect(node.filter(({ number }) => number === 1).map(readText)).toEqual(['x', 'w']);
    expect(readText(leaf(node, 4))).toBe('Conv');
    expect(attributes.map((fields) => readText(leaf(fields, 1)))).toEqual([
      'strides',
      'auto_pad',
      'group',
      'alpha',
    ]);
    // AttributeType: INTS 7, STRING 3, INT 2, FLOAT 1.
    expect(attributes.map((fields) => readInt64(leaf(fields, 20)))).toEqual([7n, 3n, 2n, 1n]);
  });

  test('keeps weights bit for bit', () => {
    const tensor = at(model, 7, 5);

    expect(tensor.filter(({ number }) => number === 1).map(readInt64)).toEqual([3n, 1n]);
    expect(Buffer.from(leaf(tensor, 9).bytes)).toEqual(Buffer.from(weights.buffer));
  });

  test('names dimensions that are known at run time only', () => {
    const dimensions = at(model, 7, 11, 2, 1, 2).map(({ bytes }) => only(decodeMessage(bytes)));

    expect(readText(dimensions[0]!)).toBe('frames');
    expect(readInt64(dimensions[1]!)).toBe(4n);
  });
});

function only(fields: readonly Field[]): Field {
  expect(fields).toHaveLength(1);
  return fields[0]!;
}
