import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { jsonLines, runCli } from '../support/cli.ts';
import { fileDirectory } from '../support/temporary-directory.ts';
import { expectRefused, TINY, type Wrong } from './refusal.ts';

// Each test is a process or two that mostly loads: one a core.
vi.setConfig({ maxConcurrency: 2 });

const directory = fileDirectory();
const at = (name: string): string => path.join(directory(), name);

describe.concurrent('configuration', () => {
  const STREAMS = 'streams:\n  - { id: a, url: a.mp4 }\n';

  test.each([
    ['an unknown key', `${STREAMS}evnts: {}\n`, 'CONFIG:3:1: evnts: unknown key; did you mean "events"?'],
    [
      'a wrong type',
      `${STREAMS}model: { frames: many }\n`,
      'CONFIG:3:18: model.frames: expected a whole number from 1 to 1024, not "many"',
    ],
    [
      'a wrong word',
      `${STREAMS}sampler: { kind: orderd }\n`,
      'CONFIG:3:18: sampler.kind: expected one of none, uniform, reference, ordered, not "orderd"; did you mean "ordered"?',
    ],
    ['no YAML', 'streams: [\n', 'CONFIG:'],
  ])('%s', async (what, text, message) => {
    const file = at(`${what}.yaml`);
    await writeFile(file, text);
    const { code, stdout, stderr } = await runCli(['validate', file]);

    expect(stderr).toMatch(/^error CONFIG_INVALID: /);
    expect(stderr).toContain(message.replace('CONFIG', file));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test.each([
    ['run', ['run']],
    ['events verify', ['events', 'verify']],
  ])('%s refuses it alike, before anything starts', async (what, command) => {
    const file = at(`${what}.yaml`);
    await writeFile(file, `${STREAMS}evnts: {}\n`);
    const { code, stdout, stderr } = await runCli([...command, file]);

    expect(stderr).toContain(`${file}:3:1: evnts: unknown key; did you mean "events"?`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('a label that the model does not know', async () => {
    const settings = `model: { network: s3d-g, classes: 2, width: 0.125, frames: 4, size: 32 }\nengine: { kind: 'null' }\njournal: { dir: '${at('journal-label')}' }\n`;
    await writeFile(at('label.yaml'), `${STREAMS}${settings}events: { labels: { fal: { on: 0.5 } } }\n`);
    for (const command of ['run', 'validate']) {
      const { code, stderr } = await runCli([command, at('label.yaml')]);

      expect(stderr).toMatch(
        /CONFIG_INVALID: stream a: the model untrained-s3d-g has no label "fal"; it has class-0, class-1/,
      );
      expect(code).toBe(2);
    }
  });

  test.each<Wrong>([
    {
      what: 'a file that is not there',
      args: () => ['validate', at('none.yaml')],
      code: 2,
      says: [/CONFIG_INVALID: .*none\.yaml: cannot be read: ENOENT/],
    },
    {
      what: 'neither file nor source',
      args: () => ['run'],
      code: 2,
      says: [/USAGE: name a configuration file, a camera or video with --source, or a fleet with --fleet/],
    },
    {
      what: 'an unknown flag',
      args: () => ['run', '--sauce', 'a'],
      code: 2,
      says: [/unknown option '--sauce'/, /Did you mean --source|--help/],
    },
  ])('$what', expectRefused);
});

describe.concurrent('journal, database and events', () => {
  test('a journal under a regular file', async () => {
    await writeFile(at('plain'), '');
    const { code, stderr } = await runCli([
      'run',
      '--source',
      'a.mp4',
      ...TINY,
      '--journal',
      at('plain/journal'),
    ]);

    expect(stderr).toMatch(
      /JOURNAL_UNWRITABLE: journal .*plain\/journal cannot be written: ENOTDIR.*; make the directory writable/,
    );
    expect(code).toBe(1);
  });

  const ABSENT = 'postgres://user:s3cret@127.0.0.1:1/events';
  test.each<Wrong>([
    {
      what: 'verify without a journal',
      args: () => ['events', 'verify', '--journal', at('none'), '--json'],
      code: 2,
      says: [/INPUT_INVALID: no journal at .*none; name the journal\.dir/],
    },
    {
      what: 'query without a database',
      args: () => ['events', 'query', '--json'],
      code: 2,
      says: [
        /USAGE: no database: name a configuration file with sinks\.postgres, --postgres URL, or set DATABASE_URL/,
      ],
    },
    {
      what: 'query of a database that is absent',
      args: () => ['events', 'query', '--postgres', ABSENT],
      code: 3,
      says: [
        /POSTGRES_UNREACHABLE: Postgres at 127\.0\.0\.1:1\/events: .*ECONNREFUSED.*; check postgres\.url/,
        /^(?![^]*s3cret)/,
      ],
    },
    {
      what: 'migrate of a database that is absent',
      args: () => ['migrate', '--postgres', ABSENT],
      code: 3,
      says: [/POSTGRES_UNREACHABLE: /, /^(?![^]*s3cret)/],
    },
    {
      what: 'a time that is none',
      args: () => ['events', 'query', '--postgres', ABSENT, '--since', 'soon'],
      code: 2,
      says: [
        /'--since <time>' argument 'soon' is invalid\. Expected a time such as 2026-11-22T10:15:00Z, or a/,
      ],
    },
  ])('$what', expectRefused);
});

describe.concurrent('--json outputs are JSON, a line a thing', () => {
  test.each([
    ['models ls', ['models', 'ls', '--json']],
    ['models inspect', ['models', 'inspect', 's3d-g', '--json']],
    ['doctor', ['doctor', '--json']],
  ])('%s', async (_, args) => {
    const { code, stdout, stderr } = await runCli(args);

    expect(code, stderr).toBe(0);
    expect(jsonLines(stdout).length).toBeGreaterThan(0);
  });

  test('config print', async () => {
    await writeFile(at('good.yaml'), 'streams:\n  - { id: a, url: "rtsp://viewer:s3cret@cam/1" }\n');
    const { code, stdout } = await runCli(['config', 'print', at('good.yaml'), '--json']);

    expect(code).toBe(0);
    expect(jsonLines(stdout).length).toBeGreaterThan(10);
    expect(stdout).not.toContain('s3cret');
  });
});
