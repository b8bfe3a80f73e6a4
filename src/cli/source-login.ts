import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import type { CliIo } from './io.ts';

export interface LoginFlags {
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
}

export interface SourceLogin {
  readonly username?: string;
  readonly password?: string;
}

type LoginIo = Pick<CliIo, 'stdin' | 'stderr' | 'env' | 'signal'>;

const VARIABLE = 'ACTIONSTREAM_SOURCE_PASSWORD';

export function addLoginFlags(command: Command): Command {
  return command
    .option('--user, --username <name>', 'user of the source; without a password it is asked for')
    .option('--password-file <file>', `file that holds the password; -: standard input; or set ${VARIABLE}`)
    .option('--password <secret>', 'the password itself: shells keep it, others may see it; better a file');
}

/** The login that flags, environment or the person at the terminal give. @throws USAGE */
export async function readLogin(
  { username, password, passwordFile }: LoginFlags,
  io: LoginIo,
): Promise<SourceLogin> {
  if (password !== undefined && passwordFile !== undefined) {
    throw new ActionstreamError('USAGE', '--password and --password-file: give one of the two');
  }
  const given = password ?? (await fromFile(passwordFile, io)) ?? io.env[VARIABLE];
  const terminal = io.stdin as Terminal;
  const secret = given ?? (username !== undefined && terminal.isTTY ? await ask(terminal, io) : undefined);
  return {
    ...(username !== undefined && { username }),
    ...(secret !== undefined && { password: secret }),
  };
}

interface Terminal extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

async function fromFile(file: string | undefined, io: LoginIo): Promise<string | undefined> {
  if (file === undefined) return undefined;
  if (file === '-') return (await firstLine(io.stdin)) ?? '';
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new ActionstreamError('USAGE', `--password-file ${file} cannot be read: ${messageOf(error)}`);
  }
}

async function firstLine(input: Readable): Promise<string | undefined> {
  const lines = createInterface({ input });
  try {
    for await (const line of lines) return line;
    return undefined;
  } finally {
    lines.close();
  }
}

/** Typed characters are not shown. */
async function ask(terminal: Terminal, { stderr, signal }: LoginIo): Promise<string> {
  stderr.write('password of the source: ');
  terminal.setRawMode?.(true);
  let typed = '';
  try {
    for await (const chunk of terminal) {
      for (const character of String(chunk)) {
        if (character === '\r' || character === '\n') return typed;
        if (character === '\u0003' || character === '\u0004' || signal.aborted) {
          throw new ActionstreamError('ABORTED', 'no password was given');
        }
        typed = character === '\u007f' || character === '\b' ? typed.slice(0, -1) : typed + character;
      }
    }
    return typed;
  } finally {
    terminal.setRawMode?.(false);
    stderr.write('\n');
  }
}
