import { messageOf } from '../core/errors.ts';
import { parseTokens, type ApiToken } from '../api/tokens.ts';
import type { Report } from './explain-issues.ts';
import type { Settings } from './schema.ts';
import type { FileSettings } from './secrets.ts';

/** Where the HTTP API listens and whom it answers, with certificates and tokens read. */
export interface HttpSettings {
  readonly host: string;
  readonly port: number;
  /** The program goes on when all its streams have ended by themselves. */
  readonly keepServing: boolean;
  /** Empty: whoever reaches it is answered. */
  readonly tokens: readonly ApiToken[];
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Undefined where it is not served, or where something is wrong that `report` was told. */
export function resolveHttp(
  { port, host, keepServing, tokenFile, tls: tlsSettings }: Settings['http'],
  { files, report }: { readonly files: FileSettings; readonly report: Report },
): HttpSettings | undefined {
  if (port === undefined) return undefined;
  if (tokenFile === undefined && !isThisMachine(host)) {
    const message = `${host} is reached by others, and no token is asked for; name a token_file, or listen at 127.0.0.1`;
    report({ path: ['http', 'host'], message });
  }
  const tokenText = files.file({ tokenFile }, ['http'], 'token_file');
  const tokens = tokenText === undefined ? [] : tokensOf(tokenText, report);
  if (!tlsSettings) return { host, port, keepServing, tokens };
  const cert = files.file(tlsSettings, ['http', 'tls'], 'cert_file');
  const key = files.file(tlsSettings, ['http', 'tls'], 'key_file');
  if (cert === undefined || key === undefined) return undefined;
  return { host, port, keepServing, tokens, tls: { cert, key } };
}

function tokensOf(written: string, report: Report): readonly ApiToken[] {
  try {
    return parseTokens(written);
  } catch (error) {
    report({ path: ['http', 'token_file'], message: messageOf(error) });
    return [];
  }
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
