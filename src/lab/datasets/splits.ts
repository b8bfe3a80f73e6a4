import path from 'node:path';

/**
 * What a list's file name says of its split: `train`, `val`, `test`, with the
 * number of the partition where it has one.
 */
export function splitOfName(file: string): string {
  const name = path.basename(file).toLowerCase();
  const [, word = '', number = ''] = /(train|val|test)[a-z_]*?0*(\d*)(?:[._-]|$)/.exec(name) ?? [];
  return `${word}${number}`;
}

/**
 * One spelling of a split: `validate`, `validation` and `val` are the same, and so are `test01` and `test1`.
 */
export function canonicalSplit(split: string): string {
  return split
    .toLowerCase()
    .replace(/^val(id|idate|idation)?$/, 'val')
    .replace(/^(train|test|val)0+(?=\d)/, '$1');
}
