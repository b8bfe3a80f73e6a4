import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, Node } from 'yaml';
import type { Problem, SettingPath } from './problem.ts';
import { substituteEnv } from './substitute-env.ts';
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

/** Parses YAML 1.2 and replaces `${ENV}` in its values. Never throws: what is wrong is in `problems`. */
export function readYaml(name: string, text: string, env: Env): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false });
  const at = (offset: number | undefined): string => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const problems: Problem[] = document.errors.map((error) => ({
    where: at(error.pos[0]),
    path: [],
    message: `not valid YAML: ${error.message}${quoteHint(text, lines.linePos(error.pos[0]).line)}`,
  }));
  substituteScalars(document, env, (node, message) => {
    problems.push({ where: at(node.range?.[0]), path: [], message });
  });
  return {
    value: problems.length === 0 ? document.toJS() : undefined,
    problems,
    locate: (path) => at(nearestOffset(document, path)),
    locateKey: (path) => at(keyOffset(document, path)),
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
