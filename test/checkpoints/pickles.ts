/** Opcodes by name and the bytes of pickles: hand-made, as no well-meant program writes them. */
export function pickle(...parts: readonly (number | string | Uint8Array)[]): Uint8Array {
  return Buffer.concat([
    Buffer.from([0x80, 2]),
    ...parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part))),
    Buffer.from('.'),
  ]);
}

export function text(value: string): Uint8Array {
  const length = Buffer.alloc(5, 'X');
  length.writeUInt32LE(Buffer.byteLength(value), 1);
  return Buffer.concat([length, Buffer.from(value)]);
}

export function global(module: string, name: string): string {
  return `c${module}\n${name}\n`;
}
