import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const WIDEST_COMMENT = 110;
const FOLDERS = ['src', 'test', 'tools', 'bench', 'web/src'];

it(`comments have at most ${WIDEST_COMMENT} columns`, () => {
  const files = execFileSync('git', ['ls-files', ...FOLDERS], { encoding: 'utf8' })
    .trim()
    .split('\n');

  const wide = files
    .filter((file) => /\.(tsx?|mjs)$/.test(file))
    .flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, index) => (isWideComment(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );

  expect(wide).toEqual([]);
});

function isWideComment(line: string): boolean {
  return line.length > WIDEST_COMMENT && /^\s*(\/\/|\/\*|\*)|\s\/\/ /.test(line);
}
