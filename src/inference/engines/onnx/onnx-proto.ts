import {
  bytesField,
  floatField,
  intField,
  message,
  messageField,
  repeated,
  stringField,
  toBytes,
  type ProtoMessage,
} from './protobuf.ts';

/** ONNX messages (onnx.proto of IR version 8, opset 18) as plain data, and their encoding. */
export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

export interface OnnxNode {
  readonly op: string;
  /** Set of operators that `op` belongs to; empty for ONNX's own. */
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A number is an INT unless wrapped as `{ float }`. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** A text is a symbolic dimension, known at run time. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly type: 'float32' | 'uint8';
  readonly shape: readonly (number | string)[];
}

const IR_VERSION = 8;
const OPSET = 18;
const DATA_TYPE = { float32: 1, uint8: 2, int64: 7 } as const;
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** The bytes of a `.onnx` file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = message(
    repeated(model.nodes, (node) => messageField(1, encodeNode(node))),
    stringField(2, model.name),
    repeated(model.initializers, (tensor) => messageField(5, encodeTensor(tensor))),
    repeated(model.inputs, (value) => messageField(11, encodeValueInfo(value))),
    repeated(model.outputs, (value) => messageField(12, encodeValueInfo(value))),
  );
  const own = model.nodes.map(({ domain }) => domain).filter((domain) => domain !== '');
  const opsets = [
    message(stringField(1, ''), intField(2, OPSET)),
    ...[...new Set(own)].map((domain) => message(stringField(1, domain), intField(2, 1))),
  ];
  return toBytes(
    message(
      intField(1, IR_VERSION),
      stringField(2, 'actionstream'),
      messageField(7, graph),
      repeated(opsets, (opset) => messageField(8, opset)),
    ),
  );
}

function encodeNode(node: OnnxNode): ProtoMessage {
  return message(
    repeated(node.inputs, (name) => stringField(1, name)),
    repeated(node.outputs, (name) => stringField(2, name)),
    stringField(3, node.name),
    stringField(4, node.op),
    ...(node.domain === '' ? [] : [stringField(7, node.domain)]),
    repeated(Object.entries(node.attributes), ([name, value]) =>
      messageField(5, message(stringField(1, name), encodeAttributeValue(value))),
    ),
  );
}

function encodeAttributeValue(value: OnnxAttribute): ProtoMessage {
  if (typeof value === 'number') return message(intField(3, value), intField(20, ATTRIBUTE_TYPE.int));
  if (typeof value === 'string') return message(stringField(4, value), intField(20, ATTRIBUTE_TYPE.string));
  if ('float' in value) return message(floatField(2, value.float), intField(20, ATTRIBUTE_TYPE.float));
  return message(
    repeated(value, (item) => intField(8, item)),
    intField(20, ATTRIBUTE_TYPE.ints),
  );
}

function encodeTensor({ name, shape, data }: OnnxTensor): ProtoMessage {
  const type = data instanceof Float32Array ? DATA_TYPE.float32 : DATA_TYPE.int64;
  return message(
    repeated(shape, (n) => intField(1, n)),
    intField(2, type),
    stringField(8, name),
    // raw_data is little-endian, as is every machine that onnxruntime-node runs on.
    bytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

function encodeValueInfo({ name, type, shape }: OnnxValueInfo): ProtoMessage {
  const dimensions = repeated(shape, (n) =>
    messageField(1, typeof n === 'number' ? intField(1, n) : stringField(2, n)),
  );
  const tensor = message(intField(1, DATA_TYPE[type]), messageField(2, dimensions));
  return message(stringField(1, name), messageField(2, messageField(1, tensor)));
}
