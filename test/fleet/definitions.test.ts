import { expect, it } from 'vitest';
import { DefinitionTable } from '../../src/fleet/definitions.ts';

const message = (key: string, value: string, offset: number, partition = 0) => ({
  ...{ key, value, partition },
  offset: String(offset),
});
const defined = (id: string, more: object = {}): string =>
  JSON.stringify({ id, url: 'rtsp://cam/1', ...more });

it('the last message of a stream counts; one without a value removes it', () => {
  const table = new DefinitionTable();
  expect(table.apply(message('b', defined('b'), 0, 1))).toBe(true);
  table.apply(message('a', defined('a'), 0));
  table.apply(message('a', defined('a', { paused: true }), 1));
  table.apply(message('gone', defined('gone'), 2));
  table.apply(message('gone', '', 3));
  expect(table.all.map(({ definition, partition }) => [definition.id, partition])).toEqual([
    ['a', 0],
    ['b', 1],
  ]);
  expect(table.of('a')?.definition).toMatchObject({ paused: true });
  expect(table.countsOf(3)).toEqual([1, 1, 0]);
});

it('what was read before changes nothing when it is read again', () => {
  const table = new DefinitionTable();
  table.apply(message('a', defined('a'), 0));
  table.apply(message('a', '', 1));
  expect(table.apply(message('a', defined('a'), 0))).toBe(false);
  expect(table.all).toEqual([]);
});

it.each(['no json', '[]', '{"id":"other"}', 'null'])(
  '%s is no definition, and the next message is read',
  (value) => {
    const table = new DefinitionTable();
    expect(() => table.apply(message('a', value, 0))).toThrow();
    expect(table.apply(message('a', defined('a'), 1))).toBe(true);
  },
);
