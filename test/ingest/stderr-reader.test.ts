import { describe, expect, it } from 'vitest';

import {
  createStderrReader,
  type InputDescription,
  type WrittenSegment,
} from '../../src/ingest/stderr-reader.ts';

function readAll(portions: readonly string[]): {
  times: (number | undefined)[];
  messages: string[];
  inputs: InputDescription[];
  warnings: string[];
} {
  const times: (number | undefined)[] = [];
  const messages: string[] = [];
  const inputs: InputDescription[] = [];
  const warnings: string[] = [];
  const read = createStderrReader({
    onPts: (ptsUs) => times.push(ptsUs),
    onInput: (described) => inputs.push(described),
    onMessage: (line) => messages.push(line),
    onWarning: (line) => warnings.push(line),
  });
  for (const portion of portions) read(portion);
  return { times, messages, inputs, warnings };
}

const TEXT =
  'frame:0    pts:0       pts_time:0\nm=1\n[h264] error while decoding MB 1 2\n' +
  'frame:1    pts:-80000  pts_time:-0.08\nm=1\nframe:2    pts:NOPTS   pts_time:NOPTS\nm=1\n';

describe('stderr reader', () => {
  it('tells segments of kept video from times and messages, also in the middle of one', () => {
    const written: WrittenSegment[] = [];
    const [times, messages]: [(number | undefined)[], string[]] = [[], []];
    const read = createStderrReader({
      onPts: (ptsUs) => times.push(ptsUs),
      onInput: () => undefined,
      onSegment: (segment) => written.push(segment),
      onMessage: (line) => messages.push(line),
      onWarning: () => undefined,
    });
    read('frame:0    pts:0       pts_time:0\nm=1\nring-17-000000.ts,-0.040000,2.');
    read('120000\n[h264] [error] bad ring-17-000001.ts,2.12,4.0\nblock\n');

    expect(times).toEqual([0]);
    expect(written).toEqual([
      { name: 'ring-17-000000.ts', startS: -0.04, endS: 2.12 },
      { name: 'ring-17-000001.ts', startS: 2.12, endS: 4 },
    ]);
    expect(messages).toEqual(['[h264] bad block']);
  });

  it('tells presentation times from messages', () => {
    expect(readAll([TEXT])).toEqual({
      inputs: [],
      warnings: [],
      times: [0, -80_000, undefined],
      messages: ['[h264] error while decoding MB 1 2'],
    });
  });

  it('keeps errors, drops chatter, and reads length and codec of the input', () => {
    const { inputs, messages, warnings } = readAll([
      "[info] Input #0, mov,mp4, from 'v.mp4':\n[info]   Duration: 00:01:20.50, start: 0.000000, bitrate: 256 kb/s\n",
      '[info]   Stream #0:0[0x1](und): Video: h264 (Constrained Baseline), yuv420p, 160x120, 15 fps\n',
      '[info]   Duration: N/A, start: 0.000000\n[swscaler @ 0x55] [warning] deprecated pixel format used\n',
      '[mov @ 0x55] [error] stream 0, offset 0x50328: partial file\n[fatal] boom\n',
      '[mpegts @ 0x55] [warning] New video stream 0:1 at pos:1 and DTS:2s\nactionstream-guard: 1: exec: x: not found\n',
    ]);

    expect(warnings).toEqual(['[swscaler @ 0x55] deprecated pixel format used']);
    expect(inputs).toEqual([{ format: 'mov,mp4' }, { declaredMs: 80_500 }, { codec: 'h264', shape: 4 / 3 }]);
    expect(messages).toEqual([
      '[mov @ 0x55] stream 0, offset 0x50328: partial file',
      'boom',
      '[mpegts @ 0x55] New video stream 0:1 at pos:1 and DTS:2s',
      'actionstream-guard: 1: exec: x: not found',
    ]);
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
