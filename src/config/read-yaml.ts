import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml';
import type { Document, Node } from 'yaml';
import { messageOf } from '../core/errors.ts';
import type { Problem, SettingPath } from './problem.ts';
import { substituteEnv } from './substitute-env.ts';
import { excessOf, isTooDeep } from './yaml-size.ts';
import type { Env } from './substitute-env.ts';

/** A configuration file as plain values, and where each stands. */
export interface YamlFile {
  /** Undefined where the file holds nothing, or no YAML. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** `name:line:column` of a value; of the nearest section around it where it is missing. */
  locate(path: SettingPath): string;
  /** The same, of a key. */
  locateKey(path: SettingPath): string;
}

/**
 * Parses YAML 1.2 and replaces `${ENV}` in its values. Never throws: what is wrong is in `problems`.
 * Anchors may be used as often as a site has cameras, but a small file cannot become a large configuration.
 */
export function readYaml(name: string, text: string, env: Env): YamlFile {
  if (isTooDeep(text)) return unreadable(name, `not valid YAML: ${TOO_DEEP}`);
  try {
    return parse(name, text, env);
  } catch (error) {
    const why = error instanceof RangeError ? TOO_DEEP : messageOf(error);
    return unreadable(name, `not valid YAML: ${why}`);
  }
}

const TOO_DEEP = 'it is nested too deeply';

function parse(name: string, text: string, env: Env): YamlFile {
  const lines = new LineCounter();
  // The parser's own search for repeated keys takes the square of their number.
  const options = { lineCounter: lines, merge: true, prettyErrors: false, uniqueKeys: false };
  const document = parseDocument(text, options);
  const at = (offset: number | undefined): string => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const problems: Problem[] = document.errors.map((error) => ({
    where: at(error.pos[0]),
    path: [],
    message: `not valid YAML: ${error.message}${quoteHint(text, lines.linePos(error.pos[0]).line)}`,
  }));
  for (const [key, problem] of wrongKeys(document))
    problems.push({ where: at(key.range?.[0]), path: [], message: `not valid YAML: ${problem}` });
  const excess = problems.length === 0 ? excessOf(document) : undefined;
  if (excess !== undefined) return unreadable(name, excess);
  substituteScalars(document, env, (node, message) => {
    problems.push({ where: at(node.range?.[0]), path: [], message });
  });
  return {
    // Bounded above, in what the aliases bring and not in how many they are.
    value: problems.length === 0 ? document.toJS({ maxAliasCount: -1 }) : undefined,
    problems,
    locate: (path) => at(nearestOffset(document, path)),
    locateKey: (path) => at(keyOffset(document, path)),
  };
}

/** Keys that are no plain text, or stand in their section already; `<<` may stand there several times. */
function wrongKeys(document: Document): readonly (readonly [key: Node, problem: string])[] {
  const wrong: [Node, string][] = [];
  visit(document, {
    Map(_, node) {
      const seen = new Set<unknown>();
      for (const { key } of node.items) {
        if (isCollection(key)) wrong.push([key, 'a key must be plain text']);
        if (!isScalar(key) || key.value === '<<') continue;
        if (seen.has(key.value)) wrong.push([key, 'Map keys must be unique']);
        seen.add(key.value);
      }
    },
  });
  return wrong;
}

function unreadable(name: string, message: string): YamlFile {
  return {
    value: undefined,
    problems: [{ where: name, path: [], message }],
    locate: () => name,
    locateKey: () => name,
  };
}

/** To YAML, `{` within braces opens another mapping, also behind a dollar sign. */
function quoteHint(text: string, line: number): string {
  const reference = /[[{].*\$\{/.test(text.split('\n')[line - 1] ?? '');
  return reference ? '; inside { } and [ ] put ${…} in quotes' : '';
}

function substituteScalars(
  document: Document,
  env: Env,
  report: (node: Node, message: string) => void,
): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return;
      const { text, problems } = substituteEnv(node.value, env);
      node.value = text;
      for (const problem of problems) report(node, problem);
    },
  });
}

function nearestOffset(document: Document, path: SettingPath): number | undefined {
  const node = document.getIn(path, true);
  if (isNode(node)) return node.range?.[0];
  for (let length = path.length - 1; length > 0; length -= 1) {
    const above = path.slice(0, length);
    if (document.getIn(above, true) !== undefined) return keyOffset(document, above);
  }
  return document.contents?.range?.[0];
}

/** Where a pair begins: its key. List items begin with themselves. */
function keyOffset(document: Document, path: SettingPath): number | undefined {
  const parent = document.getIn(path.slice(0, -1), true) ?? document.contents;
  const resolved = isAlias(parent) ? parent.resolve(document) : parent;
  const last = path.at(-1);
  if (isMap(resolved)) {
    const pair = resolved.items.find(({ key }) => isScalar(key) && String(key.value) === last);
    return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
  }
  const item = isSeq(resolved) && typeof last === 'number' ? resolved.items[last] : undefined;
  return isNode(item) ? item.range?.[0] : undefined;
}
