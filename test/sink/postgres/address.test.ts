import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { messageOf } from '../../../src/core/errors.ts';
import { parsePostgresUrl } from '../../../src/sink/postgres/address.ts';
import { tlsOf, type TlsSettings } from '../../../src/sink/postgres/tls.ts';

const TROUBLE = fc.oneof(
  fc.constantFrom('/', '?', '#', '@', '%', ':', '&', '=', '[', ']', '+', '\\', '"', "'", ' ', '0', '1', 'a'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
);

/** What is said of a URL that is refused. */
function refusalOf(url: string): string {
  try {
    parsePostgresUrl(url);
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    return messageOf(error);
  }
  return `accepted`;
}

describe('a Postgres URL', () => {
  test('is taken apart, every part decoded', () => {
    const url =
      'postgresql://me%40site:p%40ss%2Fw%23r%25d%3F@db.example:6432/ev%20ents?application_name=a%26b';

    expect(parsePostgresUrl(url)).toEqual({
      ...{ user: 'me@site', password: 'p@ss/w#r%d?', host: 'db.example', port: 6432, database: 'ev ents' },
      parameters: { application_name: 'a&b' },
      display: 'db.example:6432/ev ents',
    });
  });

  test.each([
    ['postgres:///events?host=/run/postgresql', { host: '/run/postgresql', database: 'events' }],
    ['postgres://%2Frun%2Fpostgresql/events', { host: '/run/postgresql' }],
    ['postgres://me@[::1]:5433/events', { host: '::1', port: 5433 }],
    ['postgres://me:a:b@db/events', { user: 'me', password: 'a:b', host: 'db' }],
    ['postgres://db?user=me&dbname=events', { user: 'me', database: 'events' }],
    ['postgres://me:a b@db/events', { password: 'a b' }],
  ])('%s is understood', (url, wanted) => {
    expect(parsePostgresUrl(url)).toMatchObject(wanted);
  });

  test.each([
    'p@ss/w#r%d',
    'p@ss',
    'a#b',
    'a/b',
    'a?b',
    'a%zz',
    '12#b',
    '12/b',
    '12?b',
    '12?b=c',
    '#',
    '%',
    '/',
  ])(
    'with the unencoded password %s is refused with the remedy, and no part of the password is shown',
    (password) => {
      const text = refusalOf(`postgres://operator:${password}@db.example:5432/events`);

      expect(text).toContain('percent-encode');
      expect(text).toContain('password_file');
      expect(text).not.toContain(`operator`);
      for (const part of password.split(/[/?#@%]/).filter((some) => some.length > 2)) {
        expect(text).not.toContain(part);
      }
    },
  );

  test('gives back every password that is encoded, and never another host for one that is not', () => {
    fc.assert(
      fc.property(fc.string({ unit: TROUBLE, minLength: 1, maxLength: 12 }), (password) => {
        const encoded = parsePostgresUrl(`postgres://me:${encodeURIComponent(password)}@db:5432/events`);
        expect(encoded).toMatchObject({ user: 'me', password, host: 'db', port: 5432, database: 'events' });
        try {
          expect(parsePostgresUrl(`postgres://me:${password}@db:5432/events`)).toMatchObject({
            ...{ host: 'db', port: 5432, database: 'events' },
          });
        } catch (error) {
          expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['postgres://db/e?statement_timeout=1', 'use the setting statement_timeout'],
    ['postgres://db/e?options=-c%20TimeZone%3DCET', 'options is not taken'],
    ['postgres://db/e?ssl=true', 'sslmode=verify-full'],
    ['postgres://db/e?sslmode=require&sslmode=disable', 'sslmode twice'],
    ['postgres://a,b/e', 'several hosts'],
    ['postgres://db:99999/e', 'port'],
    ['mysql://db/e', 'expected a URL such as postgres://'],
  ])('%s is refused', (url, wanted) => {
    expect(refusalOf(url)).toContain(wanted);
  });
});

describe('sslmode and postgres.tls together', () => {
  const CA = { ca: 'pem' };
  const INSECURE = { rejectUnauthorized: false };
  const outcomeOf = (settings: TlsSettings | undefined, query: string): string => {
    try {
      const { ssl, checks, mayFallBack } = tlsOf(
        settings,
        Object.fromEntries(new URLSearchParams(query)),
        'db',
      );
      return `${ssl === false ? 'plain' : checks}${mayFallBack ? ' or plain' : ''}`;
    } catch (error) {
      return messageOf(error);
    }
  };

  test.each<[TlsSettings | undefined, string, string]>([
    [undefined, '', 'plain'],
    [false, '', 'plain'],
    [true, '', 'host'],
    [CA, '', 'host'],
    [INSECURE, '', 'nothing'],
    [undefined, 'sslmode=disable', 'plain'],
    [undefined, 'sslmode=prefer', 'nothing or plain'],
    [undefined, 'sslmode=require', 'nothing'],
    [undefined, 'sslmode=verify-ca', 'authority'],
    [undefined, 'sslmode=verify-full', 'host'],
    [undefined, 'sslmode=require&sslrootcert=system', 'host'],
    [CA, 'sslmode=require', 'host'],
    [CA, 'sslmode=verify-ca', 'host'],
    [CA, 'sslmode=verify-full', 'host'],
    [INSECURE, 'sslmode=require', 'nothing'],
    [false, 'sslmode=prefer', 'plain'],
  ])('%j with %j means %s', (settings, query, wanted) => {
    expect(outcomeOf(settings, query)).toBe(wanted);
  });

  test.each<[TlsSettings | undefined, string, readonly string[]]>([
    [CA, 'sslmode=disable', ['TLS is used', 'sslmode=disable']],
    [CA, 'sslmode=prefer', ['TLS is used', 'sslmode=prefer']],
    [false, 'sslmode=require', ['enabled: false', 'sslmode=require']],
    [INSECURE, 'sslmode=verify-full', ['insecure: true', 'sslmode=verify-full']],
    [CA, 'sslmode=verify-full&sslrootcert=ca.pem', ['ca_file', 'sslrootcert']],
    [undefined, 'sslrootcert=ca.pem', ['sslrootcert', 'sslmode=verify-full']],
    [undefined, 'sslmode=verify-full&sslrootcert=/nowhere', ['sslrootcert', 'cannot be read']],
    [undefined, 'sslmode=always', ['none of disable']],
  ])('%j with %j is an error that names both', (settings, query, wanted) => {
    for (const words of wanted) expect(outcomeOf(settings, query)).toContain(words);
  });
});
