import { describe, expect, it } from 'vitest';
import { load, problemsOf, STREAMS, writeTemporary } from './files.ts';

describe('what a file says', () => {
  it('the audit of a stream, in place of that of all', () => {
    const streams = '[{ id: a, url: b }, { id: c, url: d, audit: { share: 0% } }]';
    const config = load(`defaults: { audit: { agreement: 0.95 } }\nstreams: ${streams}`);
    expect(config.streams.map(({ audit }) => audit)).toEqual([
      { share: 0.01, agreement: 0.95 },
      { share: 0, agreement: 0.98 },
    ]);
  });

  it('reaches the stages in their own units and words', () => {
    const config = load(`
instance: site-a
model: { network: s3d-g, width: 0.5, seed: 1, frames: 32, size: 112, gate_bias: false }
sampler: { kind: ordered, width: 0.05, noise_floor: 0.01, after: Conv_2b }
engine: { kind: onnx, threads: 2 }
defaults: { fit: crop, window: { stride: 8 }, reconnect: { max: 1m, max_attempts: 3 } }
streams:
  - id: dock-3
    url: rtsp://cam/1
    username: viewer
    password: 'p@ss'
    window: { fps: 12.5 }
    sampler: { width: 0.1 }
    events: { off: 0.3, labels: { fall: { cooldown: 1m } }, allow: [fall] }
  - { id: file, url: a.mp4, start_time: '2026-11-22T10:15:00Z', no_frame_timeout: 3s }
events: { on: 0.7, smoothing: 0.5, labels: { fall: { on: 0.9, min_duration: 500ms } } }
journal: { dir: /var/journal, max_size: 256MiB, retain: 7d }
sinks: { ndjson: }
log: { level: debug }
`);

    expect(config).toMatchObject({
      instance: 'site-a',
      model: { model: 's3d-g', untrained: true, seed: 1, frames: 32, size: 112, width: 0.5, gateBias: false },
      sampler: { kind: 'ordered', width: 0.05, noiseFloor: 0.01, after: 'Conv_2b' },
      engine: { kind: 'onnx', threads: 2 },
      journal: {
        dir: '/var/journal',
        maxBytes: 268_435_456,
        retainMs: 604_800_000,
        shedAt: 0.8,
        fsync: true,
      },
      sinks: { ndjson: { path: '-' } },
      log: { level: 'debug' },
    });
    expect(config.streams[0]).toEqual({
      streamId: 'dock-3',
      url: 'rtsp://cam/1',
      username: 'viewer',
      password: 'p@ss',
      kind: 'live',
      paused: false,
      transport: 'auto',
      media: true,
      realtime: false,
      policy: 'freshest',
      fit: 'crop',
      noFrameTimeoutMs: 10_000,
      queueClips: 4,
      reconnect: { firstMs: 1000, maxMs: 60_000, maxAttempts: 3 },
      window: { stride: 8, fps: 12.5, tail: 'pad' },
      faults: {
        ...{ afterMs: 10_000, frozenAfterMs: 60_000, clearAfterMs: 3000 },
        ...{ blackBelow: 0.1, coveredBelow: 0.02, defocusedBelow: 0.35 },
      },
      sampler: { kind: 'ordered', width: 0.1, noiseFloor: 0.01 },
      events: {
        policy: {
          on: 0.7,
          off: 0.3,
          smoothing: 0.5,
          minDurationMs: 1000,
          mergeGapMs: 1000,
          cooldownMs: 0,
          maxDurationMs: 600_000,
          updateIntervalMs: 10_000,
        },
        labels: { fall: { on: 0.9, minDurationMs: 500, cooldownMs: 60_000 } },
        allow: ['fall'],
      },
    });
    expect(config.streams[1]).toMatchObject({
      kind: 'file',
      policy: 'every_frame',
      startTimeMs: Date.parse('2026-11-22T10:15:00Z'),
      noFrameTimeoutMs: 3000,
    });
  });

  it('gives sinks with certificates, passwords and tokens read from files', async () => {
    const password = writeTemporary('password', 'p@ss/word\n');
    const ca = writeTemporary('ca.pem', 'PEM\n');
    const token = writeTemporary('token', 'abc\n');
    const { kafka, postgres } = load(`${STREAMS}
instance: site-a
sinks:
  kafka:
    brokers: [a:1, b:2]
    tls: { ca_file: ${ca}, server_name: broker }
    sasl: { mechanism: oauthbearer, token_file: ${token} }
    topics: { clip_stats: own.clip.stats }
    create_topics: {}
  postgres: { url: 'postgres://me@db/events', password_file: ${password}, tls: {} }
`).sinks;

    expect(kafka).toMatchObject({
      brokers: ['a:1', 'b:2'],
      instance: 'site-a',
      tls: { ca: 'PEM\n', servername: 'broker' },
      topics: { 'action.event': 'actionstream.action.event.v1', 'clip.stats': 'own.clip.stats' },
      createTopics: { partitions: 6, replicationFactor: 1 },
      maxRecordBytes: 1_000_000,
    });
    const sasl = kafka?.sasl;
    expect(sasl?.mechanism === 'oauthbearer' && (await sasl.token())).toBe('abc');
    expect(postgres).toMatchObject({
      url: 'postgres://me@db/events',
      password: 'p@ss/word',
      tls: true,
      autoMigrate: true,
      applicationName: 'actionstream-site-a',
    });
  });

  it('may leave out everything but streams', () => {
    const config = load(STREAMS);

    expect(config.model).toEqual({ model: 's3d-g-atfr', untrained: false, seed: 0 });
    expect(config.streams[0]?.reconnect).toEqual({ firstMs: 1000, maxMs: 30_000, maxAttempts: Infinity });
    expect(config.sinks).toEqual({});
    expect(config.instance).not.toBe('');
  });

  it('null names the null engine, quoted or not', () => {
    expect(load(`${STREAMS}engine: { kind: null }`).engine.kind).toBe('null');
    expect(load(`${STREAMS}engine: { kind: 'null' }`).engine.kind).toBe('null');
  });

  it('a file at its own pace is treated as a camera: the freshest clips count', () => {
    const { streams, engine } = load(`
defaults: { realtime: true }
engine: { budget: { p95_latency: 2s, multiply_adds_per_second: 2.5e9 } }
streams:
  - { id: a, url: a.mp4 }
  - { id: b, url: b.mp4, realtime: false }
  - { id: c, url: c.mp4, policy: every_frame }
`);

    expect(streams.map(({ kind, realtime, policy }) => [kind, realtime, policy])).toEqual([
      ['file', true, 'freshest'],
      ['file', false, 'every_frame'],
      ['file', true, 'every_frame'],
    ]);
    expect(engine.budget).toEqual({ p95LatencyMs: 2000, multiplyAddsPerSecond: 2.5e9, maxDeltaScale: 4 });
  });

  it('metrics are served only where a port says so, and to this machine unless a host says more', () => {
    expect(load(STREAMS).metrics).toBeUndefined();
    expect(load(`${STREAMS}metrics: { port: 9464 }`).metrics).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(load(`${STREAMS}metrics: { port: 0, host: '::' }`).metrics).toEqual({ host: '::', port: 0 });
  });

  it('the HTTP API is served only where a port says so, and to others only with tokens', () => {
    const tokens = writeTemporary('tokens', 'read reader-0123456789ab\nadmin admin-0123456789abc\n');
    expect(load(STREAMS).http).toBeUndefined();
    expect(load(`${STREAMS}http: { port: 8080 }`).http).toEqual({
      host: '127.0.0.1',
      port: 8080,
      keepServing: false,
      tokens: [],
    });
    const open = load(`${STREAMS}http: { port: 8080, host: 0.0.0.0, token_file: ${tokens} }`).http;
    expect(open?.tokens.map(({ role }) => role)).toEqual(['read', 'admin']);
    expect(problemsOf(() => load(`${STREAMS}http: { port: 8080, host: 0.0.0.0 }`))).toEqual([
      expect.stringMatching(/^site.yaml:2:.*http\.host: 0\.0\.0\.0 is reached by others.*token_file/),
    ]);
    expect(
      problemsOf(() =>
        load(`${STREAMS}http: { port: 8080, token_file: ${writeTemporary('bad', 'root x')} }`),
      ),
    ).toEqual([expect.stringMatching(/http\.token_file: line 1: expected read or admin/)]);
  });

  it('only identical pictures are repeated ones, unless a threshold says more', () => {
    expect(load(STREAMS).engine.repeatThreshold).toBe(0);
    expect(load(`${STREAMS}engine: { repeat_threshold: 1.5 }`).engine.repeatThreshold).toBe(1.5);
    expect(() => load(`${STREAMS}engine: { repeat_threshold: -1 }`)).toThrow('a number of 0 or more');
  });

  it('anchors and merges of YAML work', () => {
    const yaml = 'streams:\n  - &cam { id: a, url: x, queue_clips: 2 }\n  - { <<: *cam, id: b }';
    expect(load(yaml).streams.map(({ streamId, queueClips }) => [streamId, queueClips])).toEqual([
      ['a', 2],
      ['b', 2],
    ]);
  });
});

describe('certificates of sources', () => {
  const secured = (tls: string, defaults = ''): string =>
    `${defaults}streams: [{ id: a, url: 'rtsps://cam/1'${tls} }, { id: b, url: 'rtsps://cam/2' }]\n`;

  it('are checked against the authorities of this machine where nothing is said', () => {
    expect(load(secured('')).streams.map(({ tls }) => tls)).toEqual([undefined, undefined]);
  });

  it('are checked as `defaults` say, or as the stream says by itself', () => {
    const { streams } = load(
      secured(', tls: { server_name: cam.test }', 'defaults: { tls: { insecure: true } }\n'),
    );

    expect(streams.map(({ tls }) => tls)).toEqual([{ serverName: 'cam.test' }, { insecure: true }]);
  });

  it('need an authority that is one', () => {
    const file = writeTemporary('ca.pem', 'no certificate');

    expect(problemsOf(() => load(secured(`, tls: { ca_file: '${file}', insecure: true }`)))).toEqual([
      expect.stringMatching(/tls\.insecure: accepts any certificate, so ca_file means nothing/),
      expect.stringMatching(/tls\.ca_file: holds no certificate; expected PEM/),
    ]);
    expect(problemsOf(() => load(secured(`, tls: { ca_file: '${file}.absent' }`)))).toEqual([
      expect.stringMatching(/tls\.ca_file: cannot be read: ENOENT/),
    ]);
  });
});
