import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSize } from '../../src/settings/parse-size.ts';
import { substituteEnv } from '../../src/config/substitute-env.ts';
import { suggest } from '../../src/config/suggest.ts';

describe('sizes', () => {
  it.each<[string, number | undefined]>([
    ['100B', 100],
    ['512KiB', 524_288],
    ['1.5 MiB', 1_572_864],
    ['1GB', 1_000_000_000],
    ['2TiB', 2 * 1024 ** 4],
    ['1', undefined],
    ['1 iB', 1],
    ['-1KB', undefined],
    ['KB', undefined],
  ])('%s → %s bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });
});

describe('suggestions', () => {
  const known = ['brokers', 'tls', 'sasl', 'topics', 'create_topics', 'url'];
  it.each([
    ['broker', 'brokers'],
    ['borkers', 'brokers'],
    ['TLS', 'tls'],
    ['createTopics', 'create_topics'],
    ['create-topics', 'create_topics'],
    ['uri', 'url'],
    ['password', undefined],
    ['x', undefined],
  ])('%s → %s', (word, meant) => {
    expect(suggest(word, known)).toBe(meant);
  });
});

describe('references to variables', () => {
  it('text without a dollar sign stays as it is, whatever the environment', () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.string()), (text, env) => {
        fc.pre(!text.includes('$'));
        expect(substituteEnv(text, env)).toEqual({ text, problems: [] });
      }),
    );
  });

  it('the value of a variable arrives unchanged, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        expect(substituteEnv('<${A}${B:-x}>', { A: value, B: value }).text).toBe(`<${value}${value}>`);
      }),
    );
  });
});
