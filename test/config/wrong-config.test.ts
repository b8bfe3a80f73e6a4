import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import { load, problemsOf, STREAMS } from './files.ts';

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
      'a tag with a comma',
      'streams: [{ id: a, url: b, tags: ["a,b"] }]',
      [
        'site.yaml:1:35: streams[0].tags[0]: expected 1 to 64 letters, digits, dots, dashes, colons and underscores, not "a,b"',
      ],
    ],
    [
      'a site of two lines',
      'streams: [{ id: a, url: b, site: "Kiel\\n2" }]',
      ['site.yaml:1:34: streams[0].site: expected text of one line, at most 200 characters, not "Kiel\\n2"'],
    ],
    [
      'a mask of two corners',
      'streams: [{ id: a, url: b, masks: [[[0, 0], [1, 1]]] }]',
      [
        'site.yaml:1:36: streams[0].masks[0]: expected 3 to 64 corners, such as [[0, 0], [0.5, 0], [0.5, 1]], not a list',
      ],
    ],
    [
      'a corner outside the picture',
      'streams: [{ id: a, url: b, masks: [[[0, 0], [1, 0], [0, 1.5]]] }]',
      ['site.yaml:1:57: streams[0].masks[0][2][1]: expected a number from 0 to 1, not 1.5'],
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
    [
      'no streams',
      'log: { level: info }',
      ['site.yaml:1:1: streams: expected at least one stream, or http.port to add some'],
    ],
    [
      'an empty list of streams',
      'streams: []',
      ['site.yaml:1:10: streams: expected at least one stream, or http.port to add some'],
    ],
    ['an empty file', '', ['site.yaml:1:1: streams: expected at least one stream, or http.port to add some']],
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
        'site.yaml:2:10: sampler: bins: ordered takes width, distance, noise_floor, anchor, still, representative, min_steps',
      ],
    ],
    [
      'an option of another sampler, on a stream',
      'sampler: { kind: ordered }\nstreams: [{ id: a, url: b, sampler: { stride: 2 } }]',
      [
        'site.yaml:2:37: streams[0].sampler: stride: ordered takes width, distance, noise_floor, anchor, still, representative, min_steps',
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

  it('a share that is no percentage, and a floor that nothing can be certain of', () => {
    const yaml = 'streams: [{ id: a, url: b, audit: { share: 101%, agreement: 1 } }]';
    expect(problemsOf(() => load(yaml))).toEqual([
      'site.yaml:1:44: streams[0].audit.share: expected a percentage from 0% to 100%, such as 1% or 0.5%, not "101%"',
      'site.yaml:1:61: streams[0].audit.agreement: expected a number from 0.5 to 0.995, not 1',
    ]);
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
