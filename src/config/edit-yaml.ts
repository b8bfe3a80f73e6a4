import { isDeepStrictEqual } from 'node:util';
import {
  isMap,
  isNode,
  isScalar,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { withValue } from './layers.ts';
import type { SettingPath } from './problem.ts';

type Value = string | number;

/**
 * The text of a YAML file with these values in one of its sections; every other byte stays, comments too. A
 * section that is not there yet is added to the one around it.
 *
 * Undefined where the place is not in the text by itself: an alias, a merged section, one without a value.
 */
export function editYaml(
  text: string,
  section: SettingPath,
  values: Readonly<Record<string, Value>>,
): string | undefined {
  const edited = Object.entries(values).reduce<string | undefined>(
    (before, entry) => (before === undefined ? undefined : withEntry(before, section, entry)),
    text,
  );
  if (edited === undefined) return undefined;
  const wanted = Object.entries(values).reduce(
    (tree, [key, value]) => withValue(tree, [...section, key], value),
    plain(parse(text)),
  );
  return isDeepStrictEqual(plain(parse(edited)), wanted) ? edited : undefined;
}

function parse(text: string): Document {
  return parseDocument(text, { merge: true, uniqueKeys: false });
}

function plain(document: Document): unknown {
  return document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: -1 });
}

function withEntry(
  text: string,
  section: SettingPath,
  [key, value]: readonly [string, Value],
): string | undefined {
  const document = parse(text);
  const map = document.getIn(section, true);
  if (isMap(map)) return inMap(text, map, [key, String(value)]);
  const around = document.getIn(section.slice(0, -1), true);
  if (map !== undefined || !isMap(around)) return undefined;
  return inMap(text, around, [String(section.at(-1)), `{ ${key}: ${value} }`]);
}

function inMap(text: string, map: YAMLMap, [key, value]: readonly [string, string]): string | undefined {
  const pair = map.items.find((one) => isScalar(one.key) && one.key.value === key);
  if (pair) return inPlaceOf(text, pair, value);
  return map.flow ? inFlow(text, map, `${key}: ${value}`) : inBlock(text, map, `${key}: ${value}`);
}

function inPlaceOf(text: string, { value: node }: Pair, value: string): string | undefined {
  if (!isScalar(node) || !node.range || node.range[0] === node.range[1]) return undefined;
  return splice(text, [node.range[0], node.range[1]], value);
}

/** Before the closing brace, behind the last value. */
function inFlow(text: string, map: YAMLMap, entry: string): string | undefined {
  const last = endOf(map.items.at(-1));
  if (last !== undefined) return splice(text, [last, last], `, ${entry}`);
  return map.range ? splice(text, [map.range[0], map.range[1]], `{ ${entry} }`) : undefined;
}

/**
 * A line of its own, below the last value that is on one line with its key: what follows that one is not
 * its.
 */
function inBlock(text: string, map: YAMLMap, entry: string): string | undefined {
  const start = isNode(map.items[0]?.key) ? map.items[0].key.range?.[0] : undefined;
  if (start === undefined) return undefined;
  const indent = ' '.repeat(start - 1 - text.lastIndexOf('\n', start - 1));
  const last = map.items
    .filter(isOnOneLine)
    .map(endOf)
    .findLast((end) => end !== undefined);
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  if (last === undefined) return splice(text, [start, start], `${entry}${newline}${indent}`);
  const found = text.indexOf(newline, last);
  const end = found === -1 ? text.length : found;
  return splice(text, [end, end], `${newline}${indent}${entry}`);

  function isOnOneLine({ key, value }: Pair): boolean {
    const [from, to] = [
      isNode(key) ? key.range?.[0] : undefined,
      isNode(value) ? value.range?.[1] : undefined,
    ];
    return from !== undefined && to !== undefined && !text.slice(from, to).includes('\n');
  }
}

function endOf(pair: Pair | undefined): number | undefined {
  const last: unknown = pair?.value ?? pair?.key;
  return isNode(last) ? (last as Node).range?.[1] : undefined;
}

function splice(text: string, [from, to]: readonly [number, number], inserted: string): string {
  return text.slice(0, from) + inserted + text.slice(to);
}
