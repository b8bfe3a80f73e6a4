import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { addSettingFlags } from './setting-flags.ts';

export interface TrustFlags {
  readonly caFile?: string;
  readonly serverName?: string;
  readonly insecure?: true;
}

/** How the certificate of an https, rtsps or rtmps source is checked; `tls` of the configuration file. */
export function addTrustFlags(command: Command): Command {
  return addSettingFlags(command, ['defaults.tls']);
}

/** The flags with the file read. @throws USAGE */
export function readTrust({ caFile, serverName, insecure }: TrustFlags): {
  readonly ca?: string;
  readonly serverName?: string;
  readonly insecure?: true;
} {
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
