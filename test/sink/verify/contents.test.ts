import { expect, test } from 'vitest';
import { describeDifferences } from '../../../src/sink/verify/contents.ts';

test('texts that differ far behind their beginning differ', () => {
  const [a, b] = ['a', 'b'].map((end) => `${'x'.repeat(100)}${end}`);

  expect(describeDifferences({ label: a }, { label: b })).toContain('label is "xxx');
  expect(describeDifferences({ label: a }, { label: a })).toBe('');
});

test('what is null or left out is absent, and nothing else is', () => {
  expect(describeDifferences({ a: null, b: { c: undefined } }, { b: {} })).toBe('');
  expect(describeDifferences({ a: 0 }, {})).toBe('a is 0, not absent');
  expect(describeDifferences({}, { a: {} })).toBe('a is absent, not {}');
  expect(describeDifferences({ a: '1' }, { a: 1 })).toBe('a is "1", not 1');
});

test('a field may have the name of a method', () => {
  expect(describeDifferences({ toString: 'x' }, {})).toBe('toString is "x", not absent');
  expect(describeDifferences({}, { constructor: 'x' })).toBe('constructor is absent, not "x"');
});

test('items of lists are compared one by one', () => {
  const scores = (score: number) => ({ scores: [{ label: 'a', score }] });

  expect(describeDifferences(scores(0.5), scores(0.5))).toBe('');
  expect(describeDifferences(scores(0.5), scores(0.4))).toBe('scores.0.score is 0.5, not 0.4');
  expect(describeDifferences({ scores: [1, 2] }, { scores: [1] })).toBe('scores.1 is 2, not absent');
});
