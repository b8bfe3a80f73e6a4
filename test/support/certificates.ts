import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface Authority {
  /** Its certificate, PEM. */
  readonly ca: string;
  readonly caFile: string;
  /** Issues a certificate. The file holds key and chain, as a broker's PEM keystore wants them. */
  issue(
    name: string,
    options?: { readonly subjectAltName?: string; readonly expired?: boolean },
  ): Certificate;
}

interface Certificate {
  readonly key: string;
  readonly cert: string;
  readonly keyAndChainFile: string;
}

/** A certificate authority of a test's own, made with openssl. */
export function createAuthority(directory: string): Authority {
  const file = (name: string): string => path.join(directory, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  openssl(
    ...[
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '3',
      '-subj',
      '/CN=actionstream test authority',
    ],
    ...['-keyout', 'ca.key', '-out', 'ca.pem'],
  );
  const ca = readFileSync(file('ca.pem'), 'utf8');
  return {
    ca,
    caFile: file('ca.pem'),
    issue(name, { subjectAltName = 'IP:127.0.0.1', expired = false } = {}) {
      openssl(
        ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`],
        ...['-keyout', `${name}.key`, '-out', `${name}.csr`],
      );
      writeFileSync(file(`${name}.ext`), `subjectAltName=${subjectAltName}\n`);
      // `ca` can date a certificate, `x509 -req` of older versions cannot: a
      // negative number of days has ended.
      openssl(
        ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
        ...['-days', expired ? '-1' : '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`],
      );
      const [key, cert] = [
        readFileSync(file(`${name}.key`), 'utf8'),
        readFileSync(file(`${name}.pem`), 'utf8'),
      ];
      writeFileSync(file(`${name}.chain.pem`), `${key}${cert}${ca}`);
      return { key, cert, keyAndChainFile: file(`${name}.chain.pem`) };
    },
  };
}
