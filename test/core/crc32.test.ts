import { expect, test } from 'vitest';
import { crc32 } from '../../src/core/crc32.ts';

test('the check value of CRC-32 comes out', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
});

test('bytes taken eight at a time give what single bits give, at every length and place', () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, n) => (n * 197 + 13) & 0xff);

  for (let from = 0; from < 8; from += 1)
    for (let to = from; to <= bytes.length; to += 1)
      expect(crc32(bytes.subarray(from, to))).toBe(bitByBit(bytes.subarray(from, to)));
});

/** The definition: polynomial 0x04c11db7, reflected. */
function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  }
  return ~crc >>> 0;
}
