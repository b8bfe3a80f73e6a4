import path from 'node:path';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { migrate } from '../../../src/sink/postgres/migrate.ts';
import type { PostgresConnection } from '../../../src/sink/postgres/connection.ts';
import { startLocalPostgres, type LocalPostgres } from '../../../tools/local/postgres.ts';
import { createAuthority, type Authority } from '../../support/certificates.ts';
import { rowsOf, runSql, temporaryDatabase } from '../../support/names.ts';

// Its rules let nobody but the superuser in without TLS: who connects is encrypted.
describe('a server with a certificate of its own authority, which demands TLS and a password', () => {
  let server: LocalPostgres;
  let authority: Authority;
  let otherCa: string;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'actionstream-tls-'));
    authority = createAuthority(directory);
    const other = path.join(directory, 'other');
    await mkdir(other);
    otherCa = createAuthority(other).ca;
    const certificate = authority.issue('server', { subjectAltName: 'DNS:localhost' });
    server = await startLocalPostgres({
      tls: certificate,
      access: ['hostssl all app all scram-sha-256', 'host all open all scram-sha-256'],
    });
    await runSql(
      server.url,
      `CREATE ROLE app LOGIN SUPERUSER PASSWORD 'p@ss/w#r%d?:[x]&"$ ü'; CREATE ROLE open LOGIN PASSWORD 'x'`,
    );
  });
  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true });
  });

  const PASSWORD = 'p@ss/w#r%d?:[x]&"$ ü';
  const connection = (
    host: string,
    more: Partial<PostgresConnection> & { query?: string } = {},
  ): PostgresConnection => {
    const { query = '', ...settings } = more;
    const url = new URL(server.url);
    return { url: `postgres://app@${host}:${url.port}/postgres${query}`, password: PASSWORD, ...settings };
  };
  /** `encrypted`, or what is said of a connection that fails. */
  const outcomeOf = async (given: PostgresConnection): Promise<string> => {
    try {
      await migrate(given);
      return 'connected';
    } catch (error) {
      expect(error).toMatchObject({ code: 'POSTGRES_REFUSED', retryable: false });
      return (error as Error).message;
    }
  };

  test.each<[string, string, () => Partial<PostgresConnection> & { query?: string }, string]>([
    ['its authority in postgres.tls', 'localhost', () => ({ tls: { ca: authority.ca } }), 'connected'],
    [
      'and sslmode=require',
      'localhost',
      () => ({ query: '?sslmode=require', tls: { ca: authority.ca } }),
      'connected',
    ],
    [
      'and verify-full',
      'localhost',
      () => ({ query: '?sslmode=verify-full', tls: { ca: authority.ca } }),
      'connected',
    ],
    [
      'its authority in the URL',
      'localhost',
      () => ({ query: `?sslmode=verify-full&sslrootcert=${authority.caFile}` }),
      'connected',
    ],
    [
      'verify-ca, by another name',
      '127.0.0.1',
      () => ({ query: `?sslmode=verify-ca&sslrootcert=${authority.caFile}` }),
      'connected',
    ],
    [
      'require with its authority, by another name',
      '127.0.0.1',
      () => ({ query: `?sslmode=require&sslrootcert=${authority.caFile}` }),
      'connected',
    ],
    ['require, unchecked', '127.0.0.1', () => ({ query: '?sslmode=require' }), 'connected'],
    ['prefer, unchecked', '127.0.0.1', () => ({ query: '?sslmode=prefer' }), 'connected'],
    ['insecure', '127.0.0.1', () => ({ tls: { rejectUnauthorized: false } }), 'connected'],
    [
      'its name told',
      '127.0.0.1',
      () => ({ tls: { ca: authority.ca, servername: 'localhost' } }),
      'connected',
    ],
    ['no authority', 'localhost', () => ({ tls: true }), 'set postgres.tls.ca_file'],
    [
      'verify-full without authority',
      'localhost',
      () => ({ query: '?sslmode=verify-full' }),
      'set postgres.tls.ca_file',
    ],
    ['another authority', 'localhost', () => ({ tls: { ca: otherCa } }), 'set postgres.tls.ca_file'],
    [
      'require with another authority',
      'localhost',
      () => ({ query: '?sslmode=require', tls: { ca: otherCa } }),
      'set postgres.tls.ca_file',
    ],
    [
      'a name that it has not',
      '127.0.0.1',
      () => ({ tls: { ca: authority.ca } }),
      'set postgres.tls.server_name',
    ],
    [
      'another name told',
      'localhost',
      () => ({ tls: { ca: authority.ca, servername: 'db.example' } }),
      'set postgres.tls.server_name',
    ],
    ['no TLS', 'localhost', () => ({}), 'set postgres.tls, or sslmode in the URL'],
  ])('with %s: %s', async (_, host, more, wanted) => {
    expect(await outcomeOf(connection(host, more()))).toContain(wanted);
  });

  test('a wrong password is refused by name, and not shown', async () => {
    const given = { ...connection('localhost', { tls: { ca: authority.ca } }), password: 'Geheim-42' };
    const text = await outcomeOf(given);

    expect(text).toContain('password authentication failed for user "app"');
    expect(text).toContain('check user name and password');
    expect(text).not.toContain('Geheim');
  });

  test('the password in the URL, encoded, is the same as the one in a field', async () => {
    const { url } = connection('localhost', { tls: { ca: authority.ca } });
    const encoded = url.replace('app@', `app:${encodeURIComponent(PASSWORD)}@`);

    expect(await outcomeOf({ url: encoded, tls: { ca: authority.ca } })).toBe('connected');
  });
});

describe('a server without TLS', () => {
  test.each([
    ['?sslmode=verify-full', 'turn ssl on in the server'],
    ['?sslmode=require', 'turn ssl on in the server'],
  ])('is refused where %s asks for it', async (query, wanted) => {
    await expect(migrate({ url: `${inject('postgresUrl')}${query}` })).rejects.toMatchObject({
      code: 'POSTGRES_REFUSED',
      message: expect.stringContaining(wanted) as string,
    });
  });

  test('is used in plain text where sslmode=prefer allows that', async () => {
    const url = await temporaryDatabase();
    await migrate({ url: `${url}?sslmode=prefer` });

    const sql = 'SELECT max(version) AS version FROM actionstream.schema_migrations';
    expect(await rowsOf(url, sql)).toEqual([{ version: 12 }]);
  });
});
