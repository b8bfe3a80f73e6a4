export const INK = '#333333';
export const FAINT = '#dddddd';

/**
 * Okabe and Ito's colours, distinguished with any kind of colour vision, and three
 * more for figures of many series.
 */
export const COLOURS = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#d55e00',
  '#cc79a7',
  '#56b4e9',
  '#000000',
  '#8c8c8c',
  '#b5a900',
  '#6a3d9a',
];

/** A colour a series name, in order of first appearance. */
export function coloursOf(names: readonly string[]): ReadonlyMap<string, string> {
  const distinct = [...new Set(names)];
  return new Map(distinct.map((name, index) => [name, COLOURS[index % COLOURS.length] ?? INK]));
}
