import { describe, expect, it } from 'vitest';

import { createStderrReader } from '../../src/ingest/stderr-reader.ts';

function readAll(portions: readonly string[]): { times: (number | undefined)[]; messages: string[] } {
  const times: (number | undefined)[] = [];
  const messages: string[] = [];
  const read = createStderrReader({
    onPts: (ptsUs) => times.push(ptsUs),
    onMessage: (line) => messages.push(line),
  });
  for (const portion of portions) read(portion);
  return { times, messages };
}

const TEXT =
  'frame:0    pts:0       pts_time:0\nm=1\n[h264] error while decoding MB 1 2\n' +
  'frame:1    pts:-80000  pts_time:-0.08\nm=1\nframe:2    pts:NOPTS   pts_time:NOPTS\nm=1\n';

describe('stderr reader', () => {
  it('tells presentation times from messages', () => {
    expect(readAll([TEXT])).toEqual({
      times: [0, -80_000, undefined],
      messages: ['[h264] error while decoding MB 1 2'],
    });
  });

  it('does so however the text is cut', () => {
    for (let cut = 1; cut < TEXT.length; cut += 1) {
      const { times, messages } = readAll([TEXT.slice(0, cut), TEXT.slice(cut)]);

      expect(times).toEqual([0, -80_000, undefined]);
      expect(messages).toEqual(['[h264] error while decoding MB 1 2']);
    }
  });

  it('finds a time that was written into the middle of a message', () => {
    const { times, messages } = readAll([
      '[h264] frame:7    pts:700000  pts_time:0.7\nm=1\ncorrupted macroblock\n',
    ]);

    expect(times).toEqual([700_000]);
    expect(messages).toEqual(['[h264] corrupted macroblock']);
  });

  it('does not hoard a line that never ends', () => {
    const { messages } = readAll(Array.from({ length: 100 }, () => 'x'.repeat(1000)));

    expect(messages.length).toBeGreaterThan(10);
    expect(Math.max(...messages.map((line) => line.length))).toBeLessThanOrEqual(4096);
  });
});
