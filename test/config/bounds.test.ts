import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import { load, problemsOf, STREAMS, writeTemporary } from './files.ts';

describe('values that are valid by form and would do harm', () => {
  const stream = (settings: string): string => `streams: [{ id: a, url: rtsp://cam/1, ${settings} }]`;
  it.each<[string, string, string]>([
    ['a camera is not hammered', stream('reconnect: { first: 0s }'), 'from 100ms to 24d'],
    ['not even after the first try', stream('reconnect: { max: 1ms }'), 'from 100ms to 24d'],
    [
      'the longest delay is no shorter than the first',
      stream('reconnect: { first: 40s }'),
      'max (30000 ms) must not be below',
    ],
    ['a timer beyond what Node can wait', stream('no_frame_timeout: 25d'), 'from 100ms to 24d'],
    ['a source without time to answer', stream('no_frame_timeout: 0s'), 'from 100ms to 24d'],
    ['an engine without time to answer', `${STREAMS}engine: { clip_timeout: 0s }`, 'from 100ms to 24d'],
    [
      'a latency that nothing meets',
      `${STREAMS}engine: { budget: { p95_latency: 0s } }`,
      'from 100ms to 24d',
    ],
    [
      'a statement without time',
      `${STREAMS}sinks: { postgres: { statement_timeout: 0s } }`,
      'from 100ms to 24d',
    ],
    [
      'a broker without time',
      `${STREAMS}sinks: { kafka: { brokers: [a:9092], request_timeout: 0s } }`,
      'from 100ms to 24d',
    ],
    ['processes without number', `${STREAMS}engine: { processes: 100000 }`, 'from 1 to 64'],
    ['a port that is none', `${STREAMS}metrics: { port: 65536 }`, 'from 0 to 65535'],
    ['a journal without room', `${STREAMS}journal: { max_size: 0B }`, 'from 16KiB'],
    ['a journal file as large as memory', `${STREAMS}journal: { segment_size: 65MiB }`, 'from 4KiB to 64MiB'],
    ['a queue as large as memory', stream('queue_clips: 1000000000'), 'from 1 to 1000'],
    [
      'a shorter last clip, which no network takes',
      stream('window: { tail: short }'),
      'expected one of drop, pad, not "short"',
    ],
  ])('%s', (_, yaml, says) => {
    expect(problemsOf(() => load(yaml))).toEqual([expect.stringContaining(says)]);
  });

  it('a batch may begin at once', () => {
    expect(load(`${STREAMS}engine: { batch: { max_wait: 0s } }`).engine.batch.maxWaitMs).toBe(0);
  });

  it('a list position from the environment is bounded', () => {
    const env = { ACTIONSTREAM_STREAMS__4000000000__URL: 'a.mp4' };
    expect(problemsOf(() => load(STREAMS, { env }))).toEqual([
      expect.stringContaining('no list has a position'),
    ]);
  });
});

describe('anchors', () => {
  const cameras = (count: number): string =>
    [
      'streams:',
      '  - &cam { id: c0, url: a.mp4, window: { stride: 8 } }',
      ...Array.from({ length: count }, (_, i) => `  - { <<: *cam, id: c${i + 1} }`),
    ].join('\n');

  it('serve as many cameras as a site has', () => {
    const { streams } = load(cameras(1000));

    expect(streams).toHaveLength(1001);
    expect(streams.at(-1)).toMatchObject({ streamId: 'c1000', url: 'a.mp4' });
  });

  it.each<[string, string, string]>([
    ['that multiply', laughs(9), 'its anchors make more than 500000 values of it'],
    ['that hold themselves', 'streams: &a [*a]', 'an anchor holds itself'],
    ['without number', cameras(10_001), 'uses anchors 10001 times; at most 10000 are allowed'],
  ])('%s are refused', (_, yaml, says) => {
    expect(problemsOf(() => load(yaml))).toEqual([expect.stringContaining(says)]);
  });

  /** Each line holds the one before it ten times. */
  function laughs(lines: number): string {
    const body = Array.from(
      { length: lines },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`,
    );
    return ['l0: &l0 x', ...body].join('\n');
  }
});

it('a key that is a list or a section is refused with its place', () => {
  expect(problemsOf(() => load(`${STREAMS}? [a, b]\n: 1\n`))).toEqual([
    'site.yaml:2:3: not valid YAML: a key must be plain text',
  ]);
});

describe('files', () => {
  it('nested beyond all bounds are refused', () => {
    expect(problemsOf(() => load('['.repeat(100_000)))).toEqual([expect.stringContaining('not valid YAML')]);
    expect(problemsOf(() => load(`streams: ${'['.repeat(70)}${']'.repeat(70)}`))).toEqual([
      expect.stringContaining('is nested more than 64 deep'),
    ]);
  });

  it('as editors of Windows save them are read', () => {
    const file = writeTemporary('site.yaml', '');
    writeFileSync(file, `\ufeff${STREAMS}`, 'utf16le');

    expect(loadConfig(file, { env: {} }).streams).toHaveLength(1);
  });

  it('that are no text are refused with the line', () => {
    const file = writeTemporary('site.yaml', '');
    writeFileSync(
      file,
      Buffer.concat([Buffer.from(`${STREAMS}# Stra`), Buffer.from([0xdf]), Buffer.from('e\n')]),
    );

    expect(problemsOf(() => loadConfig(file, { env: {} }))).toEqual([
      'site.yaml:2: is not UTF-8; save it as UTF-8 text',
    ]);
  });
});
