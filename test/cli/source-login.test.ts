import { readFile, writeFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hideArguments } from '../../src/cli/hide-arguments.ts';
import { readLogin } from '../../src/cli/source-login.ts';
import { startCli, runCli } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type LoginIo = Parameters<typeof readLogin>[1];

const SECRET = 'c4nary-4711';
const CAMERA = '127.0.0.1:1/cam';

function terminal(typed: string, env: LoginIo['env'] = {}): { io: LoginIo; shown: () => string } {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const stderr = new PassThrough();
  stdin.end(typed);
  const signal = new AbortController().signal;
  return { io: { stdin, stderr, env, signal }, shown: () => String(stderr.read()) };
}

describe('the login of a source', () => {
  test('comes from a flag, a file, the environment, or the person at the terminal, in that order', async () => {
    const file = path.join(await temporaryDirectory(), 'password');
    await writeFile(file, `${SECRET}\n`);
    const env = { ACTIONSTREAM_SOURCE_PASSWORD: 'from-env' };
    const { io, shown } = terminal('typedX\u007f\r');

    expect(await readLogin({ username: 'a', password: 'p' }, terminal('', env).io)).toMatchObject({
      password: 'p',
    });
    expect(await readLogin({ passwordFile: file }, terminal('', env).io)).toEqual({ password: SECRET });
    expect(await readLogin({ passwordFile: '-' }, terminal('piped\nrest').io)).toEqual({ password: 'piped' });
    expect(await readLogin({}, terminal('', env).io)).toEqual({ password: 'from-env' });
    expect(await readLogin({ username: 'a' }, io)).toEqual({ username: 'a', password: 'typed' });
    expect(shown(), 'what is typed is not shown').toBe('password of the source: \n');
    expect(await readLogin({}, terminal('').io)).toEqual({});
  });

  test('given twice, unreadable or broken off is an error', async () => {
    await expect(readLogin({ password: 'a', passwordFile: 'b' }, terminal('').io)).rejects.toMatchObject({
      code: 'USAGE',
    });
    await expect(readLogin({ passwordFile: '/nowhere' }, terminal('').io)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/--password-file \/nowhere cannot be read/) as string,
    });
    await expect(readLogin({ username: 'a' }, terminal('abc\u0003').io)).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('the process list', () => {
  test.each([
    ['rtsp://viewer@cam/1', 'rtsp://***@cam/1', false],
    ['rtsp://viewer:@cam/1', 'rtsp://***@cam/1', false],
    [`rtsp://viewer:${SECRET}@cam/1`, 'rtsp://***@cam/1', true],
    [`rtsp://viewer@${SECRET}@cam/1`, 'rtsp://***@cam/1', true],
    [`rtsp://viewer@cam/1?password=${SECRET}`, 'rtsp://***@cam/1?password=***', true],
  ])('the user of %s is hidden, and only a password is warned of', (url, hidden, isPassword) => {
    let shown = '';

    expect(hideArguments(['node', 'main.js', 'probe', url], (text) => (shown = text))).toBe(isPassword);
    expect(shown).toBe(`node main.js probe ${hidden}`);
  });

  test('what follows --password is a password, even where it looks like a URL with a user', () => {
    expect(hideArguments(['run', '--password', 'rtsp://viewer@cam/1'], () => undefined)).toBe(true);
  });

  test('is overwritten where an argument holds a secret, and left alone elsewhere', () => {
    const title = (...args: string[]): string | undefined => {
      let shown: string | undefined;
      const hidden = hideArguments(['node', 'main.js', ...args], (text) => (shown = text));
      expect(hidden).toBe(shown !== undefined);
      return shown;
    };

    expect(title('probe', 'rtsp://cam/1', '--json')).toBeUndefined();
    expect(title('run', '--password', SECRET, '--json')).toBe('node main.js run --password *** --json');
    expect(title('run', `--password=${SECRET}`)).toBe('node main.js run --password=***');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), (password) => {
        // A password that looks like a parameter of the URL takes the host with it.
        expect(title('run', '--source', `rtsp://u:${password}@cam/1`)).toMatch(
          /^node main\.js run --source rtsp:\/\/\*\*\*(@cam\/1)?$/,
        );
        expect(title('run', '--source', `postgres://u:${password}@db/x`)).toMatch(
          /^node main\.js run --source postgres:\/\/\*\*\*(@db\/x)?$/,
        );
      }),
    );
  });

  test.runIf(process.platform === 'linux')(
    'of a real run holds no password once the program speaks',
    async () => {
      for (const args of [
        ['probe', `rtsp://viewer:${SECRET}@${CAMERA}`],
        ['probe', `rtsp://${CAMERA}`, '--user', 'viewer', '--password', SECRET],
      ]) {
        const cli = startCli(args);
        let shown = '';
        cli.child.stderr?.once('data', () => {
          void readFile(`/proc/${cli.child.pid}/cmdline`, 'utf8').then((text) => (shown = text));
        });
        const { stderr } = await cli.done;

        expect(shown).toContain('probe');
        expect(shown).not.toContain(SECRET);
        expect(stderr.match(/warning: a password on the command line/g)).toHaveLength(1);
        expect(stderr).not.toContain(SECRET);
      }
    },
  );

  test('a password from a file or the environment reaches the source, without a warning', async () => {
    const file = path.join(await temporaryDirectory(), 'password');
    await writeFile(file, SECRET);
    const args = ['probe', `rtsp://${CAMERA}`, '--user', 'viewer'];

    const results = [
      await runCli([...args, '--password-file', file]),
      await runCli(args, { ACTIONSTREAM_SOURCE_PASSWORD: SECRET }),
    ];

    for (const { code, stderr } of results) {
      expect(stderr).toMatch(/^error SOURCE_UNREACHABLE: rtsp:\/\/\*\*\*@127\.0\.0\.1:1\/cam: /);
      expect(stderr).not.toContain(SECRET);
      expect(code).toBe(3);
    }
  });
});
