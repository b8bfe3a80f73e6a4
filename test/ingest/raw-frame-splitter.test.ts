import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createRawFrameSplitter } from '../../src/ingest/raw-frame-splitter.ts';

describe('raw frame splitter', () => {
  it('gives the same raw frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 40 })),
        (bytes, cuts) => {
          const splitter = createRawFrameSplitter(12);
          const rawFrames: Uint8Array[] = [];
          let from = 0;
          for (const size of [...cuts, bytes.length]) {
            rawFrames.push(...splitter.push(bytes.subarray(from, from + size)));
            from += size;
          }

          expect(rawFrames).toHaveLength(Math.floor(bytes.length / 12));
          expect(Buffer.concat(rawFrames)).toEqual(Buffer.from(bytes.subarray(0, rawFrames.length * 12)));
          expect(splitter.pendingBytes).toBe(bytes.length % 12);
        },
      ),
    );
  });

  it('hands out memory that it does not write to again', () => {
    const splitter = createRawFrameSplitter(3);

    const [first] = splitter.push(Uint8Array.of(1, 2, 3));
    splitter.push(Uint8Array.of(4, 5, 6));

    expect(first).toEqual(Uint8Array.of(1, 2, 3));
  });
});
