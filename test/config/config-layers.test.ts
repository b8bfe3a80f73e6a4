import { describe, expect, it } from 'vitest';
import { configFromSources } from '../../src/config/index.ts';
import { load, problemsOf, STREAMS } from './files.ts';

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
