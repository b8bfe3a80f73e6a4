/**
 * One field of a protobuf message as it lies in the bytes; `bytes` of a varint
 * or fixed field are its own encoding.
 */
export interface Field {
  readonly number: number;
  readonly wireType: number;
  readonly bytes: Uint8Array;
}

/** The fields of one level, in order. Written against the specification, not against our writer. */
export function decodeMessage(bytes: Uint8Array): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('the message ends inside a varint');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wireType = tag & 7;
    let length: number;
    if (wireType === 2) {
      length = Number(varint());
    } else if (wireType === 5) {
      length = 4;
    } else if (wireType === 0) {
      const from = at;
      varint();
      length = at - from;
      at = from;
    } else {
      throw new RangeError(`wire type ${wireType} is not used by ONNX`);
    }
    if (at + length > bytes.length) throw new RangeError('the message ends inside a field');
    fields.push({ number: tag >> 3, wireType, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return fields;
}

export function readInt64({ bytes }: Field): bigint {
  const value = bytes.reduce((sum, byte, i) => sum | (BigInt(byte & 0x7f) << BigInt(7 * i)), 0n);
  return BigInt.asIntN(64, value);
}

export function readText({ bytes }: Field): string {
  return new TextDecoder().decode(bytes);
}
