import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GLOSSARY } from './glossary.ts';
import { countWords, readSentences } from './read-sentences.ts';

const LONGEST_SENTENCE = 25;
const GENERATED = ['docs/config.md', 'docs/errors.md', 'docs/metrics.md', 'docs/api.md'];
const pages = tracked('README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/*.md', 'training/*.md').filter(
  (page) => !GENERATED.includes(page),
);

describe('prose of the pages', () => {
  it.each(pages)(`%s has no sentence of more than ${LONGEST_SENTENCE} words`, (page) => {
    const long = readSentences(readFileSync(page, 'utf8')).filter(
      ({ text }) => countWords(text) > LONGEST_SENTENCE,
    );

    expect(long.map(({ line, text }) => `${page}:${line}: ${countWords(text)} words: ${text}`)).toEqual([]);
  });

  it.each(pages)('%s uses the words of the glossary', (page) => {
    const lines = readFileSync(page, 'utf8').split('\n');
    const wrong = lines.flatMap((line, index) =>
      GLOSSARY.filter(({ never }) => never.test(line.replace(/`[^`]*`/g, ''))).map(
        ({ say }) => `${page}:${index + 1}: say "${say}": ${line.trim().slice(0, 100)}`,
      ),
    );

    expect(wrong).toEqual([]);
  });
});

describe('the reader of sentences', () => {
  it('splits paragraphs and list items, and leaves out code, tables and headings', () => {
    const page = [
      '# A heading',
      'One `a. B` here. Two',
      'goes on.',
      '',
      '- Three',
      '- four.',
      '```',
      'no',
      '```',
    ];

    expect(readSentences([...page, '| a | b |'].join('\n'))).toEqual([
      { line: 2, text: 'One code here.' },
      { line: 2, text: 'Two goes on.' },
      { line: 5, text: 'Three' },
      { line: 6, text: 'four.' },
    ]);
  });

  it('does not end a sentence at a number or an abbreviation', () => {
    expect(readSentences('About 0.5 s, e.g. a walk. Next.').map(({ text }) => text)).toEqual([
      'About 0.5 s, e.g. a walk.',
      'Next.',
    ]);
  });

  it('counts a link as its text and signs not at all', () => {
    const [sentence] = readSentences('See [the long page](docs/a-b.md) → `a b c` – now.');

    expect(countWords(sentence?.text ?? '')).toBe(6);
  });
});

function tracked(...patterns: readonly string[]): readonly string[] {
  return execFileSync('git', ['ls-files', ...patterns], { encoding: 'utf8' })
    .trim()
    .split('\n');
}
