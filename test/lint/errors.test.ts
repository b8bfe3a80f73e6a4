import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  ActionstreamError,
  ERROR_CODES,
  toActionstreamError,
  type ErrorCode,
} from '../../src/core/errors.ts';
import { renderErrors } from '../../tools/docs/render-errors.ts';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

describe('error catalogue', () => {
  test('docs/errors.md lists exactly the codes of the source (npm run docs renews it)', () => {
    expect(readFileSync('docs/errors.md', 'utf8')).toBe(renderErrors());
  });

  test('every code is thrown somewhere in src', () => {
    const sources = (readdirSync('src', { recursive: true }) as string[])
      .filter((name) => name.endsWith('.ts') && name !== 'core/errors.ts')
      .map((name) => readFileSync(`src/${name}`, 'utf8'))
      .join('\n');

    expect(CODES.filter((code) => code !== 'INTERNAL' && !sources.includes(`'${code}'`))).toEqual([]);
  });

  test.each(CODES)('%s carries its exit code and retryable bit', (code) => {
    const error = new ActionstreamError(code, 'text', { cause: 'why' });

    const { exitCode, retryable } = ERROR_CODES[code];
    expect([error.exitCode, error.retryable, error.cause]).toEqual([exitCode, retryable, 'why']);
  });

  test('foreign errors become INTERNAL with their cause, abort errors ABORTED', () => {
    const foreign = new TypeError('x is not a function');

    expect(toActionstreamError(foreign)).toMatchObject({ code: 'INTERNAL', cause: foreign });
    expect(toActionstreamError(new DOMException('stop', 'AbortError'))).toMatchObject({ code: 'ABORTED' });
  });
});
