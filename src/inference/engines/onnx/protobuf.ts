/**
 * The protobuf wire format, writing side: just what ONNX needs (varint, fixed 32,
 * length-delimited). A message is a list of chunks, so that nesting one inside another never copies
 * a weight; `toBytes` joins them once.
 */
export interface ProtoMessage {
  readonly chunks: readonly Uint8Array[];
  readonly length: number;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** Fields in the order given; `undefined` entries are left out. */
export function message(...fields: readonly (ProtoMessage | undefined)[]): ProtoMessage {
  const present = fields.filter((field) => field !== undefined);
  return {
    chunks: present.flatMap((field) => field.chunks),
    length: present.reduce((sum, field) => sum + field.length, 0),
  };
}

/** A repeated field: one tagged entry an item, not packed. */
export function repeated<T>(items: readonly T[], field: (item: T) => ProtoMessage): ProtoMessage {
  return message(...items.map(field));
}

/** int32, int64 or enum; negative values take ten bytes, as protobuf demands. */
export function intField(field: number, value: number | bigint): ProtoMessage {
  return single([...tag(field, VARINT), ...varint(BigInt(value))]);
}

export function floatField(field: number, value: number): ProtoMessage {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return single([...tag(field, FIXED_32), ...bytes]);
}

export function stringField(field: number, text: string): ProtoMessage {
  return bytesField(field, new TextEncoder().encode(text));
}

/** The bytes are referred to, not copied. */
export function bytesField(field: number, bytes: Uint8Array): ProtoMessage {
  return messageField(field, { chunks: [bytes], length: bytes.length });
}

export function messageField(field: number, inner: ProtoMessage): ProtoMessage {
  const header = Uint8Array.from([...tag(field, LENGTH_DELIMITED), ...varint(BigInt(inner.length))]);
  return { chunks: [header, ...inner.chunks], length: header.length + inner.length };
}

export function toBytes(whole: ProtoMessage): Uint8Array {
  const bytes = new Uint8Array(whole.length);
  let offset = 0;
  for (const chunk of whole.chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function single(bytes: readonly number[]): ProtoMessage {
  return { chunks: [Uint8Array.from(bytes)], length: bytes.length };
}

function tag(field: number, wireType: number): readonly number[] {
  return varint(BigInt((field << 3) | wireType));
}

function varint(value: bigint): readonly number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}
