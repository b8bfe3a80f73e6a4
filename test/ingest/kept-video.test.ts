import { expect, test } from 'vitest';
import { videoSegment } from '../../src/ingest/kept-video.ts';

const WRITTEN = { name: 'ring-17-000003.ts', startS: 100, endS: 102 };
const FOLDER = { ringDir: '/media/ring/cam', codec: 'h264' };

test('a segment stands where its frames stand in event time', () => {
  const newest = { sourceUs: 101_500_000, capturedAtMs: 1_000_000 };

  expect(videoSegment(WRITTEN, { ...FOLDER, newest })).toEqual({
    ...{ path: '/media/ring/cam/ring-17-000003.ts', codec: 'h264' },
    ...{ fromMs: 998_500, toMs: 1_000_500 },
  });
});

test.each([
  ['no frame has come', undefined],
  ['decoding is behind it', { sourceUs: 97_000_000, capturedAtMs: 1_000_000 }],
  ['the clock of the source has jumped', { sourceUs: 150_000_000, capturedAtMs: 1_000_000 }],
])('where %s it covers no time', (_, newest) => {
  expect(videoSegment(WRITTEN, { ...FOLDER, newest })).toMatchObject({ fromMs: 0, toMs: 0 });
});
