import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { duration, instant, positiveInteger, positiveNumber, wholeNumber } from '../../src/cli/options.ts';
import { InvalidArgumentError } from 'commander';
import { configFromSources, loadConfig } from '../../src/config/index.ts';
import { corpusOf, damaged, garbled, refusesOrTakes, RUNS } from './support.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fuzz-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function load(content: string | Uint8Array, env: Readonly<Record<string, string>> = {}): void {
  const file = join(folder, 'site.yaml');
  writeFileSync(file, content);
  refusesOrTakes(() => loadConfig(file, { env }));
}

const EXAMPLE = readFileSync(new URL('../../deploy/actionstream.example.yaml', import.meta.url), 'utf8');
const SMALL = `streams:\n  - &cam { id: a, url: rtsp://cam/1, window: { stride: 8 } }\n  - { <<: *cam, id: b }\nsinks: { kafka: { brokers: [a:9092] }, ndjson: }\nevents: { labels: { fall: { on: 0.5 } } }\n`;
const WORDS = [
  ...[
    '*cam',
    '&cam ',
    '<<: ',
    '- ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    '\n',
    '\n  ',
    '? ',
    '| ',
    '> ',
    '!!map ',
    '---\n',
    '...\n',
    '%TAG ! x\n',
    '"',
    "'",
    '#',
    '\t',
  ],
  ...[
    '${',
    '${A:-',
    '${A}',
    '__proto__: 1\n',
    'constructor: {}\n',
    'null',
    '~',
    '.inf',
    '.nan',
    '-0',
    '1e999',
    '0x7fffffff',
    'true',
    '[]',
    '{}',
  ],
  ...['streams:', 'id: ', 'toString', '365d', '0s', '9e99ms', '1TiB', '2026-02-30T00:00:00Z'],
];

describe('configuration', () => {
  it('garbled YAML is refused with places or taken', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(garbled([EXAMPLE, SMALL], WORDS), (text) => {
        load(text);
      }),
      { numRuns: RUNS },
    );
  });

  it('damaged bytes are refused or taken', { timeout: 600_000 }, () => {
    const sound = [Buffer.from(SMALL), Buffer.from(`\ufeff${SMALL}`, 'utf16le')];
    fc.assert(
      fc.property(damaged(sound), (bytes) => {
        load(bytes);
      }),
      { numRuns: RUNS },
    );
  });

  it('any tree of values is refused or taken', { timeout: 600_000 }, () => {
    const keys = fc.oneof(
      fc.constantFrom('streams', 'sinks', 'kafka', 'events', 'labels', '__proto__', 'engine', 'id'),
      fc.string(),
    );
    const tree = fc.object({ key: keys, maxDepth: 4, withNullPrototype: true });
    fc.assert(
      fc.property(tree, (value) => {
        load(JSON.stringify(value));
      }),
      { numRuns: RUNS },
    );
  });

  it('any environment is refused or taken', { timeout: 600_000 }, () => {
    const key = fc
      .array(
        fc.constantFrom(
          'STREAMS',
          'SINKS',
          'KAFKA',
          'BROKERS',
          '0',
          '9999',
          '99999999999',
          'EVENTS',
          'LABELS',
          'URL',
          '',
          '__PROTO__',
          'MODEL',
        ),
        { minLength: 1, maxLength: 5 },
      )
      .map((parts) => `ACTIONSTREAM_${parts.join('__')}`);
    const env = fc.dictionary(key, fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(env, (variables) => {
        load(SMALL, variables);
      }),
      { numRuns: RUNS },
    );
  });

  it.each(corpusOf('config'))('%s', (_, bytes) => {
    load(bytes);
  });
});

describe('the command line', () => {
  it('sources of any name get ids that are safe in topics, metrics and file names', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.webUrl(),
      fc.constantFrom('../../etc/passwd', 'C:\\cam\\a.mp4', '%00', 'a\0b.mp4', '.', '..', '-', '🎥.mp4'),
    );
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (urls) => {
        const config = refusesOrTakes(() => configFromSources(urls, { env: {} }));
        const ids = config?.streams.map(({ streamId }) => streamId) ?? [];
        for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: RUNS },
    );
  });

  it('numbers, times and durations of any text are refused by name or taken', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[-+0-9TtZz:. ]{1,30}(ms|s|m|h|d)?$/),
      fc.constantFrom('99999999999999999999d', '+275760-09-13T00:00:00Z', '1e309'),
    );
    fc.assert(
      fc.property(
        text,
        fc.constantFrom(duration, instant, positiveInteger, positiveNumber, wholeNumber),
        (given, parse) => {
          try {
            const value = parse(given);
            expect(Number.isFinite(Number(value))).toBe(true);
          } catch (error) {
            if (!(error instanceof InvalidArgumentError)) throw error;
          }
        },
      ),
      { numRuns: 10 * RUNS },
    );
  });
});
