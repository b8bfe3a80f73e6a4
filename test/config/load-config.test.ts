import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configFromSources, loadConfig } from '../../src/config/index.ts';
import { load, problemsOf, STREAMS, writeTemporary } from './files.ts';

describe('a wrong configuration names file, line, column, key and what was expected', () => {
  const cases: [string, string, string[]][] = [
    ['unknown key', `${STREAMS}modle: {}`, ['site.yaml:2:1: modle: unknown key; did you mean "model"?']],
    [
      'unknown key, nothing near',
      `${STREAMS}log: { zzz: 1 }`,
      ['site.yaml:2:8: log.zzz: unknown key; known here: level'],
    ],
    [
      'camel case',
      'streams: [{ id: a, url: b, noFrameTimeout: 5s }]',
      ['site.yaml:1:28: streams[0].noFrameTimeout: unknown key; did you mean "no_frame_timeout"?'],
    ],
    [
      'wrong type',
      `${STREAMS}model: { network: s3d-g, width: fast }`,
      ['site.yaml:2:33: model.width: expected a number above 0 and at most 4, not "fast"'],
    ],
    [
      'out of range',
      `${STREAMS}events:\n  labels:\n    fall: { on: 2 }`,
      ['site.yaml:4:17: events.labels.fall.on: expected a number from 0 to 1, not 2'],
    ],
    [
      'wrong word',
      `${STREAMS}log: { level: wran }`,
      [
        'site.yaml:2:15: log.level: expected one of trace, debug, info, warn, error, fatal, not "wran"; did you mean "warn"?',
      ],
    ],
    [
      'a length of time without unit',
      `${STREAMS}events: { cooldown: 5 }`,
      ['site.yaml:2:21: events.cooldown: expected a length of time such as 500ms, 30s, 5m, 2h or 7d, not 5'],
    ],
    [
      'a size without unit',
      `${STREAMS}journal: { max_size: big }`,
      [
        'site.yaml:2:22: journal.max_size: expected a size from 16KiB to 1024TiB, such as 512KiB, 256MiB or 4GiB, not "big"',
      ],
    ],
    [
      'a number where text belongs',
      'streams: [{ id: a, url: 12 }]',
      ['site.yaml:1:25: streams[0].url: expected text, not 12; put it in quotes'],
    ],
    [
      'a secret is not repeated',
      'streams: [{ id: a, url: b, password: 1234 }]',
      ['site.yaml:1:38: streams[0].password: expected text; put it in quotes'],
    ],
    ['a missing key', 'streams:\n  - id: a', ['site.yaml:2:5: streams[0].url: is missing; expected text']],
    ['no streams', 'log: { level: info }', ['site.yaml:1:1: streams: is missing; expected a list']],
    [
      'an empty list of streams',
      'streams: []',
      ['site.yaml:1:10: streams: expected at least one stream, not an empty list'],
    ],
    ['an empty file', '', ['site.yaml:1:1: streams: is missing; expected a list']],
    ['not a mapping', '[1, 2]', ['site.yaml:1:1: expected settings (key: value), not a list']],
    [
      'a stream id that is no name',
      'streams: [{ id: dock 3, url: x }]',
      [
        'site.yaml:1:17: streams[0].id: expected letters, digits, dots, dashes and underscores, at most 128, not "dock 3"',
      ],
    ],
    [
      'two streams of one id',
      'streams:\n  - { id: a, url: x }\n  - { id: a, url: y }',
      ['site.yaml:3:11: streams[1].id: "a" is the id of another stream; ids must differ'],
    ],
    [
      'thresholds that contradict',
      `${STREAMS}events: { on: 0.3, off: 0.5 }`,
      ['site.yaml:2:9: events: off (0.5) must not be above on (0.3)'],
    ],
    [
      'thresholds of a label that contradict',
      `${STREAMS}events: { on: 0.6, off: 0.5, labels: { fall: { on: 0.4 } } }`,
      ['site.yaml:2:46: events.labels.fall: off (0.5) must not be above on (0.4)'],
    ],
    [
      'durations that contradict',
      `${STREAMS}events: { min_duration: 2m, max_duration: 1m }`,
      ['site.yaml:2:9: events: max_duration must be above 0 and no less than min_duration'],
    ],
    [
      'an option of another sampler',
      `${STREAMS}sampler: { kind: ordered, bins: 3 }`,
      [
        'site.yaml:2:10: sampler: bins: ordered takes width, distance, noise_floor, anchor, representative, min_steps',
      ],
    ],
    [
      'an option of another sampler, on a stream',
      'sampler: { kind: ordered }\nstreams: [{ id: a, url: b, sampler: { stride: 2 } }]',
      [
        'site.yaml:2:37: streams[0].sampler: stride: ordered takes width, distance, noise_floor, anchor, representative, min_steps',
      ],
    ],
    [
      'trained and untrained at once',
      `${STREAMS}model: { path: m, network: s3d }`,
      ['site.yaml:2:19: model.network: path is set as well; give one of the two'],
    ],
    [
      'a shape for a trained model',
      `${STREAMS}model: { path: m, classes: 5 }`,
      ['site.yaml:2:19: model.classes: belongs to the network of a trained model; leave it out'],
    ],
    [
      'a threshold of repeated pictures where nothing is reused',
      `${STREAMS}engine: { reuse: false, repeat_threshold: 2 }`,
      [
        'site.yaml:2:25: engine.repeat_threshold: does nothing with reuse: false; leave it out or let clips share work',
      ],
    ],
    [
      'a broker login without password',
      `${STREAMS}sinks: { kafka: { brokers: [a:1], sasl: { mechanism: plain, username: u } } }`,
      ['site.yaml:2:35: sinks.kafka.sasl.password: is missing; plain needs it'],
    ],
    [
      'no database',
      `${STREAMS}sinks: { postgres: }`,
      [
        'site.yaml:2:10: sinks.postgres.url: is missing; expected a URL such as postgres://localhost:5432/actionstream, or set the variable DATABASE_URL',
      ],
    ],
    [
      'not a database URL',
      `${STREAMS}sinks: { postgres: { url: mysql://x } }`,
      ['site.yaml:2:27: sinks.postgres.url: expected a URL such as postgres://localhost:5432/actionstream'],
    ],
    [
      'a secret given twice',
      'streams: [{ id: a, url: b, password: x, password_file: /dev/null }]',
      ['site.yaml:1:41: streams[0].password_file: password is set as well; give one of the two'],
    ],
    [
      'a variable that is not set',
      'streams: [{ id: a, url: "${CAMERA}" }]',
      ['site.yaml:1:25: environment variable CAMERA is not set; set it, or write ${CAMERA:-default}'],
    ],
    [
      'a broken reference',
      'streams: [{ id: a, url: "${1}" }]',
      ['site.yaml:1:25: expected ${NAME} or ${NAME:-default}; write $${ for a literal ${'],
    ],
  ];

  it.each(cases)('%s', (_, yaml, expected) => {
    expect(problemsOf(() => load(yaml))).toEqual(expected);
  });

  it.each([
    ['a tab', 'log:\n\tlevel: info', /^site\.yaml:2:1: not valid YAML: /],
    ['an open bracket', 'streams: [', /^site\.yaml:1:\d+: not valid YAML: /],
    [
      'a reference inside braces without quotes',
      'streams: [{ id: a, url: ${CAMERA} }]',
      /^site\.yaml:1:\d+: not valid YAML: .*; inside \{ \} and \[ \] put \$\{…\} in quotes/,
    ],
    ['a key twice', 'log: {}\nlog: {}', /^site\.yaml:2:1: not valid YAML: .*unique/],
  ])('no YAML: %s', (_, yaml, expected) => {
    expect(problemsOf(() => load(yaml))[0]).toMatch(expected);
  });

  it('no file', () => {
    expect(problemsOf(() => loadConfig('/nowhere/site.yaml', { env: {} }))[0]).toMatch(
      /^site\.yaml: cannot be read: ENOENT/,
    );
  });

  it('a file with a secret that cannot be read', () => {
    const yaml = 'streams: [{ id: a, url: b, password_file: /nowhere }]';
    expect(problemsOf(() => load(yaml))[0]).toMatch(
      /^site\.yaml:1:43: streams\[0\]\.password_file: cannot be read: ENOENT/,
    );
  });

  it('all problems at once', () => {
    const yaml = 'streams:\n  - { id: a, urll: x }\n  - { id: b, url: x, queue_clips: 0 }\nlog: { level: 1 }';
    expect(problemsOf(() => load(yaml))).toEqual([
      'site.yaml:2:5: streams[0].url: is missing; expected text',
      'site.yaml:2:14: streams[0].urll: unknown key; did you mean "url"?',
      'site.yaml:3:35: streams[1].queue_clips: expected a whole number from 1 to 1000, not 0',
      'site.yaml:4:15: log.level: expected one of trace, debug, info, warn, error, fatal, not 1',
    ]);
  });
});

describe('what a file says', () => {
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
      transport: 'auto',
      realtime: false,
      policy: 'freshest',
      fit: 'crop',
      noFrameTimeoutMs: 10_000,
      queueClips: 4,
      reconnect: { firstMs: 1000, maxMs: 60_000, maxAttempts: 3 },
      window: { stride: 8, fps: 12.5, tail: 'pad' },
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

describe('environment and flags', () => {
  it('${NAME} is replaced, with a default where unset or empty, also in numbers', () => {
    const yaml = `
streams: [{ id: '\${ID}', url: 'rtsp://\${HOST:-localhost}:\${PORT:-554}/\$\${x}' }]
engine:
  threads: \${THREADS}
`;
    const config = load(yaml, { env: { ID: 'a', HOST: '', THREADS: '3' } });

    expect(config.streams[0]).toMatchObject({ streamId: 'a', url: 'rtsp://localhost:554/${x}' });
    expect(config.engine.threads).toBe(3);
  });

  it('a value of a variable is never taken for YAML or another reference', () => {
    const config = load("streams: [{ id: a, url: b, password: '${PW}' }]", {
      env: { PW: '${HOME}: [x, # "' },
    });

    expect(config.streams[0]?.password).toBe('${HOME}: [x, # "');
  });

  it('a flag wins over a variable, that over the file, that over the default', () => {
    const yaml = `${STREAMS}log: { level: debug }`;
    const env = { ACTIONSTREAM_LOG__LEVEL: 'warn' };

    expect(load(STREAMS).log.level).toBe('info');
    expect(load(yaml).log.level).toBe('debug');
    expect(load(yaml, { env }).log.level).toBe('warn');
    expect(load(yaml, { env, overrides: { log: { level: 'error' } } }).log.level).toBe('error');
    expect(load(yaml, { env, overrides: { log: { level: undefined } } }).log.level).toBe('warn');
  });

  it('variables reach lists, list items and numbers', () => {
    const config = load(`${STREAMS}sinks: { kafka: { brokers: [x:1] } }`, {
      env: {
        ACTIONSTREAM_SINKS__KAFKA__BROKERS: 'a:9092, b:9092',
        ACTIONSTREAM_STREAMS__0__URL: 'rtsp://other',
        ACTIONSTREAM_STREAMS__1__ID: 'two',
        ACTIONSTREAM_STREAMS__1__URL: 'x.mp4',
        ACTIONSTREAM_EVENTS__ON: '0.75',
        ACTIONSTREAM_JOURNAL__FSYNC: 'FALSE',
      },
    });

    expect(config.sinks.kafka?.brokers).toEqual(['a:9092', 'b:9092']);
    expect(config.streams.map(({ streamId, url }) => [streamId, url])).toEqual([
      ['cam', 'rtsp://other'],
      ['two', 'x.mp4'],
    ]);
    expect(config.streams[0]?.events.policy.on).toBe(0.75);
    expect(config.journal.fsync).toBe(false);
  });

  it('a wrong variable or flag is named', () => {
    const options = {
      env: { ACTIONSTREAM_ENGINE__THREADS: 'x', ACTIONSTREAM_SINKS__KAFAK__BROKERS: 'a' },
      overrides: { log: { level: 'loud' } },
    };
    expect(problemsOf(() => load(STREAMS, options))).toEqual([
      'environment variable ACTIONSTREAM_ENGINE__THREADS: engine.threads: expected a whole number from 1 to 1024, not "x"',
      'site.yaml:1:1: sinks.kafak: unknown key; did you mean "kafka"?',
      'command line: log.level: expected one of trace, debug, info, warn, error, fatal, not "loud"',
    ]);
  });

  it('variables of other programs are left alone', () => {
    const env = {
      ACTIONSTREAM_PORT: 'tcp://10.0.0.1:80',
      ACTIONSTREAM_SERVICE_HOST: 'x',
      ACTIONSTREAM_DATA: '/d',
    };
    expect(problemsOf(() => load(STREAMS, { env }))).toEqual([]);
  });

  it('a model given as a flag takes the place of the file’s, of whichever sort', () => {
    const yaml = `${STREAMS}model: { network: s3d-g, seed: 3 }`;
    expect(load(yaml, { overrides: { model: { path: 'models/x' } } }).model).toMatchObject({
      model: 'models/x',
      untrained: false,
    });
    const trained = `${STREAMS}model: { path: models/x }`;
    expect(load(trained, { overrides: { model: { network: 'i3d' } } }).model).toMatchObject({
      model: 'i3d',
      untrained: true,
    });
  });

  it('a shape without a model shapes the default network; a length or a size, the shipped model', () => {
    const modelOf = (model: { frames?: number; classes?: number }) =>
      configFromSources(['a.mp4'], { env: {}, overrides: { model } }).model;
    expect(modelOf({ classes: 3 })).toEqual({ model: 's3d-g', untrained: true, seed: 0, classes: 3 });
    expect(modelOf({ frames: 16 })).toEqual({
      model: 's3d-g-atfr',
      untrained: false,
      seed: 0,
      frames: 16,
    });
  });

  it('DATABASE_URL stands in for the URL of Postgres', () => {
    const config = load(`${STREAMS}sinks: { postgres: {} }`, { env: { DATABASE_URL: 'postgres://u@h/d' } });
    expect(config.sinks.postgres?.url).toBe('postgres://u@h/d');
  });
});

describe('without a file', () => {
  it('each source becomes a stream with an id of its own, and no sink is assumed', () => {
    const config = configFromSources(['rtsp://u:p@cam:8554/1', 'videos/x y.mp4', 'other/x y.mp4', '-.mkv'], {
      env: {},
    });

    expect(config.streams.map(({ streamId, kind }) => [streamId, kind])).toEqual([
      ['cam-8554', 'live'],
      ['x-y', 'file'],
      ['x-y-2', 'file'],
      ['source', 'file'],
    ]);
    expect(config.sinks).toEqual({});
  });

  it('flags and variables count as with a file', () => {
    const config = configFromSources(['a.mp4'], {
      env: { ACTIONSTREAM_DEFAULTS__WINDOW__FPS: '5' },
      overrides: { model: { path: 'm' }, sinks: { kafka: { brokers: ['k:1'] } } },
    });

    expect(config.streams[0]?.window.fps).toBe(5);
    expect(config.model.model).toBe('m');
    expect(config.sinks.ndjson).toBeUndefined();
    expect(config.sinks.kafka?.brokers).toEqual(['k:1']);
  });
});

describe('sinks without a file', () => {
  it('flags that were not given name no sink', () => {
    const overrides = { sinks: { kafka: undefined, ndjson: undefined } };
    expect(configFromSources(['a.mp4'], { env: {}, overrides }).sinks).toEqual({});
  });

  it('a sink named by a variable is one', () => {
    const env = { ACTIONSTREAM_SINKS__POSTGRES__URL: 'postgres://u@h/d' };
    expect(Object.keys(configFromSources(['a.mp4'], { env }).sinks)).toEqual(['postgres']);
  });
});

describe('effective settings, for printing', () => {
  const SECRET = 'canary-7391';
  const yaml = `
streams:
  - { id: a, url: 'rtsp://u:${SECRET}@cam/1?token=${SECRET}', password: ${SECRET} }
sinks:
  kafka: { brokers: [a:1], sasl: { mechanism: plain, username: u, password: ${SECRET} } }
  postgres: { url: 'postgres://me:${SECRET}@db/events', password: ${SECRET} }
events: { cooldown: 3s }
`;

  it('show values as written and where each came from', () => {
    const config = load(yaml, {
      env: { ACTIONSTREAM_EVENTS__ON: '0.7' },
      overrides: { log: { level: 'warn' } },
    });
    const lineOf = (key: string): string[] => {
      const setting = config.effective.find((candidate) => candidate.key === key);
      return setting
        ? [String(setting.value), setting.layer, setting.origin.replace(/^.*\/site\.yaml/, 'site.yaml')]
        : [];
    };

    expect(lineOf('events.cooldown')).toEqual(['3s', 'file', 'site.yaml:7:21']);
    expect(lineOf('events.on')).toEqual(['0.7', 'env', 'environment variable ACTIONSTREAM_EVENTS__ON']);
    expect(lineOf('log.level')).toEqual(['warn', 'flag', 'command line']);
    expect(lineOf('journal.max_size')).toEqual(['1GiB', 'default', 'default']);
    expect(lineOf('streams[0].password')).toEqual(['***', 'file', expect.stringMatching(/^site\.yaml:3:/)]);
  });

  it('hold no secret', () => {
    expect(JSON.stringify(load(yaml).effective)).not.toContain(SECRET);
  });

  it('hold no password of a camera, whatever it is made of', () => {
    const typed = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
    });
    fc.assert(
      fc.property(typed, (text) => {
        const password = `c4nary${text}`.replaceAll('${', '$$');
        const urls = [`rtsp://u:${password}@cam/1`, `rtsp://cam/user=a_password=${password}_channel=1.sdp`];
        const streams = urls.map((url, i) => ({ id: `s${i}`, url }));
        const { effective } = load(JSON.stringify({ streams }));

        expect(JSON.stringify(effective)).not.toContain('c4nary');
      }),
      { numRuns: 50 },
    );
  });

  it('nor does an error', () => {
    const wrong = yaml.replace('plain', 'plian').replace('cooldown: 3s', 'cooldown: 3');
    const problems = problemsOf(() => load(wrong));
    expect(problems).toHaveLength(2);
    expect(problems.join('\n')).not.toContain(SECRET);
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
