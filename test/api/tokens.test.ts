import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holderOf, parseTokens, type ApiToken } from '../../src/api/tokens.ts';

const roleOf = (header: string | undefined, tokens: readonly ApiToken[]): string | undefined =>
  holderOf(header, tokens)?.role;

const FILE = '# who may ask\n\nread  reader-0123456789ab\r\nadmin admin-0123456789abc\n';

test('each token has the role of its line, and no other text has one', () => {
  const tokens = parseTokens(FILE);

  expect(roleOf('Bearer reader-0123456789ab', tokens)).toBe('read');
  expect(roleOf('bearer admin-0123456789abc', tokens)).toBe('admin');
  for (const header of [
    undefined,
    '',
    'Bearer',
    'Bearer reader',
    'Basic reader-0123456789ab',
    'reader-0123456789ab',
  ]) {
    expect(roleOf(header, tokens), String(header)).toBeUndefined();
  }
});

test('any other token is refused', () => {
  const tokens = parseTokens(FILE);
  fc.assert(
    fc.property(fc.string(), (token) => {
      expect(roleOf(`Bearer ${token}x`, tokens)).toBeUndefined();
    }),
  );
});

test('a line may name whose its token is', () => {
  const tokens = parseTokens('admin 0123456789abcdef jana.k\nread 0123456789abcdeg');
  expect(holderOf('Bearer 0123456789abcdef', tokens)?.name).toBe('jana.k');
  expect(holderOf('Bearer 0123456789abcdeg', tokens)?.name).toBeUndefined();
});

test('one token with both roles may do what admin may', () => {
  const tokens = parseTokens('read 0123456789abcdef\nadmin 0123456789abcdef');
  expect(roleOf('Bearer 0123456789abcdef', tokens)).toBe('admin');
});

test.each([
  ['read short', /^line 1: expected read or admin/],
  ['\nroot 0123456789abcdef', /^line 2: expected read or admin/],
  ['read', /^line 1/],
  ['', /holds no token/],
  ['# only a remark', /holds no token/],
])('%j is refused with its line', (file, message) => {
  expect(() => parseTokens(file)).toThrow(message);
});

test('a line that is refused does not show its token', () => {
  let said = '';
  try {
    parseTokens('root opensesame-0123456789');
  } catch (error) {
    said = String(error);
  }
  expect(said).toMatch(/line 1/);
  expect(said).not.toContain('opensesame');
});
