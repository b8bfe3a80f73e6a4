import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { SETTING_FLAGS } from '../../src/config/schema.ts';
import { commandsOf, pathOf, program, renderCommands } from '../../tools/docs/render-commands.ts';

const COMMANDS = new Map(commandsOf(program()).map((command) => [pathOf(command), command]));

describe('documents of the command line', () => {
  test('docs/commands.md is what --help says (npm run docs renews it)', () => {
    expect(readFileSync('docs/commands.md', 'utf8')).toBe(renderCommands());
  });

  test('every setting with a flag is a flag of run, and docs/config.md names it', () => {
    const run = COMMANDS.get('actionstream run')?.options.map(({ flags }) => flags) ?? [];
    const page = readFileSync('docs/config.md', 'utf8');

    expect(SETTING_FLAGS.length).toBeGreaterThan(30);
    expect(SETTING_FLAGS.map(({ flag }) => flag).filter((flag) => !run.includes(flag))).toEqual([]);
    for (const { path, flag } of SETTING_FLAGS)
      expect(page).toContain(`| \`${path.slice(path.length === 1 ? 0 : 1).join('.')}\` | \`${flag}\``);
  });

  test('a command line in the documents names flags that its command has', () => {
    const pages = [
      'README.md',
      ...readdirSync('docs')
        .filter((file) => file.endsWith('.md'))
        .map((file) => `docs/${file}`),
    ];
    const wrong = pages.flatMap((page) =>
      commandLines(readFileSync(page, 'utf8')).flatMap((line) =>
        flagsOf(line)
          .filter((flag) => !isKnown(line, flag))
          .map((flag) => `${page}: ${flag} in: ${line}`),
      ),
    );

    expect(wrong).toEqual([]);
  });
});

/** From `actionstream COMMAND` to the end of the line, of the code span or of the pipe. */
function commandLines(text: string): readonly string[] {
  return Array.from(
    text.replaceAll('\\\n', ' ').matchAll(/\bactionstream [a-z][^\n`|#;&]*/g),
    ([line]) => line,
  );
}

function flagsOf(line: string): readonly string[] {
  return Array.from(line.matchAll(/(?<=\s)--[a-z][a-z0-9-]*/g), ([flag]) => flag);
}

function isKnown(line: string, flag: string): boolean {
  const words = line.split(/\s+/);
  const command = COMMANDS.get(words.slice(0, 3).join(' ')) ?? COMMANDS.get(words.slice(0, 2).join(' '));
  return (
    command === undefined ||
    flag === '--help' ||
    command.options.some((option) => option.long === flag || option.short === flag)
  );
}
