import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { printLine, type CliIo } from './io.ts';
import { addSettingFlags } from './setting-flags.ts';
import { addLoginFlags, readLogin, type LoginFlags, type SourceLogin } from './source-login.ts';

export interface SourceFlags extends LoginFlags, TrustFlags {}

interface TrustFlags {
  readonly caFile?: string;
  readonly serverName?: string;
  readonly insecure?: true;
}

/** What it takes to read a source besides its address. */
interface SourceAccess extends SourceLogin {
  readonly tls: {
    readonly ca?: string;
    readonly serverName?: string;
    readonly insecure?: true;
  };
}

/**
 * Login, and how the certificate of an https, rtsps or rtmps source is checked (`tls` of the configuration
 * file), for commands that read one source and no configuration file.
 */
export function addSourceFlags(command: Command): Command {
  return addSettingFlags(addLoginFlags(command), ['defaults.tls']);
}

/** The flags with their files read; warns where no certificate is checked. @throws USAGE */
export async function readSourceFlags(flags: SourceFlags, io: CliIo): Promise<SourceAccess> {
  const login = await readLogin(flags, io);
  if (flags.insecure) printLine(io.stderr, 'warning: --insecure: the certificate is not checked');
  return { ...login, tls: readTrust(flags) };
}

function readTrust({ caFile, serverName, insecure }: TrustFlags): SourceAccess['tls'] {
  return {
    ...(caFile !== undefined && { ca: read(caFile) }),
    ...(serverName !== undefined && { serverName }),
    ...(insecure && { insecure }),
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ActionstreamError('USAGE', `--ca-file ${file} cannot be read: ${messageOf(error)}`);
  }
}
