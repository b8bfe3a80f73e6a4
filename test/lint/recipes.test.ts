import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const OPTIONS = 'src/sampler/options.ts';

/** What a newcomer writes: one option with a bound, a flag and a meaning. */
const NEW_OPTION = `
    still_after: asFlag(
      wholeFrom(2, '\`ordered\`: steps without motion after which a clip counts as still. Default: never.'),
      '--still-after <steps>',
    ).optional(),
    noise_floor:`;

/** Asks the copy what it makes of the option. */
const ASK = `
import { Command } from 'commander';
import { addSettingFlags, givenSettings } from '../src/cli/setting-flags.ts';
import { settingsOfFlags } from '../src/config/flag-settings.ts';
import { samplerOptions } from '../src/app/model-choice.ts';
import { renderConfig, renderConfigSchema } from '../tools/docs/render-config.ts';

const command = addSettingFlags(new Command(), ['sampler']).exitOverride();
command.parse(['--sampler', 'ordered', '--still-after', '3'], { from: 'user' });
console.log(JSON.stringify({
  help: command.helpInformation(),
  planned: samplerOptions(settingsOfFlags(givenSettings(command)).sampler),
  config: renderConfig(),
  schema: JSON.parse(renderConfigSchema()).properties.sampler.properties.still_after,
}));
`;

/** What a newcomer writes for a command: its flags and output, what it does, and its line in the list. */
const COMMAND = `
import type { Command } from 'commander';
import { printLine, type CliIo } from './io.ts';

export function addGreetCommand(program: Command, io: CliIo): void {
  program
    .command('greet <name>')
    .description('says hello')
    .action(async (name: string) => {
      const { greet } = await import('../app/greet.ts');
      printLine(io.stdout, greet(name));
    });
}
`;
const FUNCTION = 'export const greet = (name: string): string => `Hello ${name}`;\n';
const LIST = 'src/cli/commands.ts';

interface Answer {
  readonly help: string;
  readonly planned: object;
  readonly config: string;
  readonly schema: object;
}

test('CONTRIBUTING, "a sampler option": one file makes flag, help, documents, JSON Schema and what plans', async () => {
  const row = /^\| a sampler option +\|(.*)$/m.exec(await readFile('CONTRIBUTING.md', 'utf8'))?.[1];
  expect(row, 'CONTRIBUTING.md names the file').toContain(`\`${OPTIONS}\``);
  const copy = await copyOfRepository();
  const source = await readFile(path.join(copy, OPTIONS), 'utf8');
  expect(source.split('\n    noise_floor:'), 'the place where the option goes').toHaveLength(2);
  await writeFile(path.join(copy, OPTIONS), source.replace('\n    noise_floor:', NEW_OPTION));
  await mkdir(path.join(copy, 'ask'));
  await writeFile(path.join(copy, 'ask/ask.ts'), ASK);

  const tsx = path.join('node_modules', '.bin', 'tsx');
  const { stdout } = await promisify(execFile)(tsx, ['ask/ask.ts'], { cwd: copy, maxBuffer: 2 ** 24 });
  const { help, planned, config, schema } = JSON.parse(stdout) as Answer;

  expect(help).toMatch(/--still-after <steps> +ordered: steps without motion after which/);
  expect(planned).toMatchObject({ kind: 'ordered', stillAfter: 3 });
  expect(config).toContain('| `still_after` | `--still-after <steps>` | whole number |');
  expect(config).toContain('| `sampler.still_after` |');
  expect(schema).toMatchObject({ type: 'integer', minimum: 2 });
});

test('CONTRIBUTING, "a command": one file in cli, one function in app, one line in the list', async () => {
  const row = /^\| a command +\|(.*)$/m.exec(await readFile('CONTRIBUTING.md', 'utf8'))?.[1];
  expect(row, 'CONTRIBUTING.md names the list').toContain(`\`${LIST}\``);
  const copy = await copyOfRepository();
  await writeFile(path.join(copy, 'src/cli/greet.ts'), COMMAND);
  await writeFile(path.join(copy, 'src/app/greet.ts'), FUNCTION);
  const list = await readFile(path.join(copy, LIST), 'utf8');
  const added = `import { addGreetCommand } from './greet.ts';\n${list.replace('[addRunCommand,', '[addRunCommand, addGreetCommand,')}`;
  expect(added.match(/addGreetCommand/g), 'its import and its entry').toHaveLength(2);
  await writeFile(path.join(copy, LIST), added);

  const tsx = path.join('node_modules', '.bin', 'tsx');
  const ran = await promisify(execFile)(tsx, ['src/main.ts', 'greet', 'Ada'], { cwd: copy });
  const help = await promisify(execFile)(tsx, ['src/main.ts', '--help'], { cwd: copy });

  expect(ran.stdout).toBe('Hello Ada\n');
  expect(help.stdout).toMatch(/greet <name> +says hello/);
});

async function copyOfRepository(): Promise<string> {
  const copy = await mkdtemp(path.join(tmpdir(), 'actionstream-recipe-'));
  onTestFinished(() => rm(copy, { recursive: true }));
  for (const part of ['src', 'tools/docs', 'package.json', 'tsconfig.json'])
    await cp(part, path.join(copy, part), { recursive: true });
  await symlink(path.resolve('node_modules'), path.join(copy, 'node_modules'));
  return copy;
}
