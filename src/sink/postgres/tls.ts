import { readFileSync } from 'node:fs';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import { ActionstreamError, messageOf } from '../../core/errors.ts';

/** What `postgres.tls` says; true: TLS with the system's authorities, false: expressly none. */
export type TlsSettings =
  | boolean
  | Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'>;

export interface TlsChoice {
  /** false: plain text. */
  readonly ssl: false | ConnectionOptions;
  /** What of the server is checked: nothing, who signed its certificate, or also that it is for this host. */
  readonly checks: 'nothing' | 'authority' | 'host';
  /** `sslmode=prefer`: plain text where the server speaks no TLS. */
  readonly mayFallBack: boolean;
}

const PLAIN: TlsChoice = { ssl: false, checks: 'nothing', mayFallBack: false };

/**
 * One rule for `postgres.tls` and the URL's sslmode, which means what it means to psql (libpq):
 *
 * - neither: plain text. Only `tls`: TLS, authority and host checked, unless `insecure`.
 * - Only sslmode: `disable` plain text; `prefer` and `allow` TLS unchecked, plain text
 *   where the server has none; `require` TLS unchecked, or its authority checked where
 *   sslrootcert is given; `verify-ca` the authority; `verify-full` also the host.
 * - Both: the stronger holds. Where one forbids what the other demands, neither
 *   is guessed: an error names both.
 *
 * @throws CONFIG_INVALID
 */
export function tlsOf(
  settings: TlsSettings | undefined,
  parameters: Readonly<Record<string, string>>,
  host: string | undefined,
): TlsChoice {
  const { sslmode } = parameters;
  if (sslmode !== undefined && !MODES.includes(sslmode)) {
    throw invalid(`sslmode in the Postgres URL is none of ${MODES.join(', ')}`);
  }
  refuseContradictions(settings, parameters);
  const asked = settings !== undefined && settings !== false;
  if (settings === false) return PLAIN;
  if (!asked && (sslmode === undefined || sslmode === 'disable')) return PLAIN;
  if (host?.startsWith('/')) {
    if (asked)
      throw invalid('postgres.tls is set, and the Postgres URL names a Unix socket, which has no TLS');
    return PLAIN;
  }
  const own = typeof settings === 'object' ? settings : {};
  const files = certificatesOf(parameters);
  const checks = asked ? checksOfSettings(own) : checksOfMode(parameters);
  const { servername, ca, cert, key, passphrase } = own;
  return {
    ssl: {
      ...files,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(passphrase !== undefined && { passphrase }),
      rejectUnauthorized: checks !== 'nothing',
      ...(checks === 'authority' && { checkServerIdentity: () => undefined }),
      ...(checks === 'host' &&
        servername !== undefined && {
          checkServerIdentity: (_host: string, certificate) => checkServerIdentity(servername, certificate),
        }),
    },
    checks,
    mayFallBack: !asked && (sslmode === 'prefer' || sslmode === 'allow'),
  };
}

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

function refuseContradictions(
  settings: TlsSettings | undefined,
  { sslmode, ...parameters }: Readonly<Record<string, string>>,
): void {
  const contradict = (setting: string, parameter: string): ActionstreamError =>
    invalid(`postgres.tls says ${setting} and the Postgres URL says ${parameter}; leave one of the two out`);
  const own = typeof settings === 'object' ? settings : {};
  if (settings === false && sslmode !== undefined && !['disable', 'allow', 'prefer'].includes(sslmode)) {
    throw contradict('enabled: false', `sslmode=${sslmode}`);
  }
  if (
    settings !== undefined &&
    settings !== false &&
    ['disable', 'allow', 'prefer'].includes(sslmode ?? '')
  ) {
    throw contradict('that TLS is used', `sslmode=${sslmode ?? ''}`);
  }
  if (own.rejectUnauthorized === false && sslmode?.startsWith('verify')) {
    throw contradict('insecure: true', `sslmode=${sslmode}`);
  }
  for (const [parameter, [option, setting]] of Object.entries(FILES)) {
    if (parameters[parameter] === undefined) continue;
    if (own[option] !== undefined) throw contradict(setting, parameter);
    if (settings === false) throw contradict('enabled: false', parameter);
    if (settings === undefined && (sslmode === undefined || sslmode === 'disable')) {
      throw invalid(`the Postgres URL gives ${parameter} without TLS; write sslmode=verify-full as well`);
    }
  }
}

/** Parameter of the URL → option of the client and name of the setting. */
const FILES = {
  sslrootcert: ['ca', 'ca_file'],
  sslcert: ['cert', 'cert_file'],
  sslkey: ['key', 'key_file'],
} as const;

function certificatesOf(
  parameters: Readonly<Record<string, string>>,
): Pick<ConnectionOptions, 'ca' | 'cert' | 'key'> {
  const entries = Object.entries(FILES).flatMap(([parameter, [option]]) => {
    const path = parameters[parameter];
    // "system" is psql's word for the authorities of the operating system, which are the default here.
    if (path === undefined || (parameter === 'sslrootcert' && path === 'system')) return [];
    return [[option, read(path, parameter)] as const];
  });
  return Object.fromEntries(entries);
}

function read(path: string, parameter: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(`the file of ${parameter} in the Postgres URL cannot be read: ${messageOf(error)}`);
  }
}

function checksOfSettings({ rejectUnauthorized }: Extract<TlsSettings, object>): TlsChoice['checks'] {
  return rejectUnauthorized === false ? 'nothing' : 'host';
}

function checksOfMode({ sslmode, sslrootcert }: Readonly<Record<string, string>>): TlsChoice['checks'] {
  if (sslmode === 'verify-full' || sslrootcert === 'system') return 'host';
  return sslmode === 'verify-ca' || (sslmode === 'require' && sslrootcert !== undefined)
    ? 'authority'
    : 'nothing';
}

function invalid(problem: string): ActionstreamError {
  return new ActionstreamError('CONFIG_INVALID', problem);
}
