import { isAlias, isCollection, isNode, isPair, visit, type Document, type Node } from 'yaml';

/** Many more than the cameras of a site, and little enough to expand in a moment. */
const MOST = { aliases: 10_000, values: 500_000, depth: 64, brackets: 128 } as const;

/**
 * Whether a text nests deeper than any configuration: the parser's time grows with the square of
 * the depth, and its stack overflows. Brackets within quotes count too: nobody writes so many.
 */
export function isTooDeep(text: string): boolean {
  let open = 0;
  for (const character of text) {
    if (character === '[' || character === '{') open += 1;
    else if (character === ']' || character === '}') open = Math.max(0, open - 1);
    if (open > MOST.brackets) return true;
  }
  return LONG_INDENT.test(text);
}

/** Blanks and the marks of list items and keys: each may begin a level. */
const LONG_INDENT = /^[ \t?:-]{256}/m;

/** Why a document must not be expanded; undefined where it may. */
export function excessOf(document: Document): string | undefined {
  const anchors = new Map<string, Node>();
  const targets = new Map<Node, Node>();
  let aliases = 0;
  visit(document, {
    Node(_, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
        return;
      }
      aliases += 1;
      const target = anchors.get(node.source);
      if (target) targets.set(node, target);
    },
  });
  if (aliases > MOST.aliases) return `uses anchors ${aliases} times; at most ${MOST.aliases} are allowed`;
  const values = expandedSize(document.contents, targets);
  if (values === undefined) return `is nested more than ${MOST.depth} deep, or an anchor holds itself`;
  if (values > MOST.values) return `its anchors make more than ${MOST.values} values of it`;
  return undefined;
}

/**
 * Values of the tree with every alias replaced; undefined where it is too deep. Each node is counted once.
 */
function expandedSize(root: Node | null, targets: ReadonlyMap<Node, Node>): number | undefined {
  const known = new Map<Node, number>();
  const sizeOf = (value: unknown, depth: number): number => {
    if (depth > MOST.depth) return Number.NaN;
    if (isPair(value)) return sizeOf(value.key, depth) + sizeOf(value.value, depth);
    if (!isNode(value)) return 1;
    const node = targets.get(value) ?? value;
    const before = known.get(node);
    if (before !== undefined) return before;
    const items: readonly unknown[] = isCollection(node) ? node.items : [];
    let size = 1;
    for (const item of items) {
      size += sizeOf(item, depth + 1);
      if (Number.isNaN(size)) return size;
    }
    known.set(node, size);
    return size;
  };
  const size = sizeOf(root, 0);
  return Number.isNaN(size) ? undefined : size;
}
