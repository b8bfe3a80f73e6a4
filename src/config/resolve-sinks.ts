import { readFile } from 'node:fs/promises';
import { messageOf } from '../core/errors.ts';
import type { KafkaSinkOptions } from '../sink/kafka/options.ts';
import { parsePostgresUrl } from '../sink/postgres/address.ts';
import { tlsOf } from '../sink/postgres/tls.ts';
import type { PostgresSinkOptions } from '../sink/postgres/postgres-sink.ts';
import type { Retention } from '../sink/postgres/prune.ts';
import type { Report } from './explain-issues.ts';
import { omit } from './omit.ts';
import type { Settings } from './schema.ts';
import type { FileSettings } from './secrets.ts';

interface Context {
  readonly files: FileSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly instance: string;
  readonly report: Report;
}

type Tls = NonNullable<NonNullable<Settings['sinks']['kafka']>['tls']>;

/** Sinks without secrets or files take their settings as they are. */
export interface Sinks extends Omit<Settings['sinks'], 'kafka' | 'postgres'> {
  readonly kafka?: KafkaSinkOptions;
  readonly postgres?: PostgresSettings;
}

export interface PostgresSettings extends PostgresSinkOptions {
  readonly retention?: Retention | undefined;
}

/** Sinks as their stages take them, with certificates and passwords read. */
export function resolveSinks({ kafka, postgres, ...plain }: Settings['sinks'], context: Context): Sinks {
  return {
    ...(kafka && { kafka: kafkaOptions(kafka, context) }),
    ...(postgres && { postgres: postgresOptions(postgres, context) }),
    ...plain,
  };
}

function kafkaOptions(settings: NonNullable<Settings['sinks']['kafka']>, context: Context): KafkaSinkOptions {
  const { topics, tls: tlsSettings, sasl: saslSettings, ...options } = settings;
  const tls = tlsOptions(tlsSettings, 'kafka', context);
  const sasl = saslOptions(saslSettings, context);
  return {
    ...options,
    instance: context.instance,
    topics: {
      'action.event': topics.actionEvent,
      'clip.stats': topics.clipStats,
      'stream.status': topics.streamStatus,
      deadLetter: topics.deadLetter,
    },
    ...(tls !== undefined && { tls }),
    ...(sasl && { sasl }),
  };
}

function saslOptions(
  sasl: NonNullable<Settings['sinks']['kafka']>['sasl'],
  { files, report }: Context,
): KafkaSinkOptions['sasl'] {
  if (!sasl) return undefined;
  const path = ['sinks', 'kafka', 'sasl'];
  const { mechanism, username, tokenFile } = sasl;
  const demand = (key: string, given: unknown): void => {
    if (given === undefined) report({ path: [...path, key], message: `is missing; ${mechanism} needs it` });
  };
  if (mechanism === 'oauthbearer') {
    demand('token_file', tokenFile);
    if (tokenFile === undefined) return undefined;
    files.file(sasl, path, 'token_file');
    return { mechanism, token: async () => (await readFile(tokenFile, 'utf8')).trim() };
  }
  const password = files.secret(sasl, path, 'password');
  demand('username', username);
  demand('password', password ?? sasl.passwordFile);
  if (username === undefined || password === undefined) return undefined;
  return { mechanism, username, password };
}

function postgresOptions(
  settings: NonNullable<Settings['sinks']['postgres']>,
  context: Context,
): PostgresSettings {
  const path = ['sinks', 'postgres'];
  const password = context.files.secret(settings, path, 'password');
  const tls = settings.tls?.enabled === false ? false : tlsOptions(settings.tls, 'postgres', context);
  const url = settings.url ?? context.env['DATABASE_URL'];
  checkPostgres(url, { tls, password }, context.report);
  return {
    ...omit(settings, ['password', 'passwordFile', 'tls']),
    url: url ?? '',
    applicationName: `actionstream-${context.instance}`,
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
  };
}

function checkPostgres(
  url: string | undefined,
  { tls, password }: { readonly tls: PostgresSinkOptions['tls']; readonly password: string | undefined },
  report: Report,
): void {
  const path = ['sinks', 'postgres', 'url'];
  const expected = 'expected a URL such as postgres://localhost:5432/actionstream';
  if (url === undefined) {
    report({ path, message: `is missing; ${expected}, or set the variable DATABASE_URL` });
    return;
  }
  if (!/^postgres(ql)?:\/\//i.test(url)) {
    report({ path, message: expected });
    return;
  }
  try {
    const { parameters, host, user } = parsePostgresUrl(url);
    tlsOf(tls, parameters, host);
    if (password !== undefined && user === undefined)
      report({ path, message: 'has no user for the password; write it and @ before the host' });
  } catch (error) {
    report({ path, message: messageOf(error) });
  }
}

function tlsOptions(tls: Tls | undefined, sink: string, { files }: Context): KafkaSinkOptions['tls'] {
  if (!tls?.enabled) return undefined;
  const path = ['sinks', sink, 'tls'];
  const ca = files.file(tls, path, 'ca_file');
  const cert = files.file(tls, path, 'cert_file');
  const key = files.file(tls, path, 'key_file');
  const passphrase = files.secret(tls, path, 'key_passphrase');
  const options = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
    ...(tls.insecure && { rejectUnauthorized: false }),
  };
  return Object.keys(options).length === 0 ? true : options;
}
