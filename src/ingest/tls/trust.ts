import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  rootCertificates,
  type PeerCertificate,
  type TLSSocket,
} from 'node:tls';

import { messageOf } from '../../core/errors.ts';
import type { SourceTrust } from '../types.ts';

/** Opens verified connections to the hosts of one source. */
export interface TrustedConnector {
  /**
   * Resolves once the certificate has been checked: nothing is sent before. Rejects with words for people.
   */
  connect(host: string, port: number, signal: AbortSignal): Promise<TLSSocket>;
}

export function createTrustedConnector(trust: SourceTrust): TrustedConnector {
  const secureContext = createSecureContext(
    trust.insecure
      ? // Whoever accepts any certificate has an old camera: its ciphers and key lengths are accepted too.
        { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' }
      : { ca: trust.ca === undefined ? systemAuthorities() : [trust.ca] },
  );
  return {
    connect(host, port, signal) {
      const name = trust.serverName ?? host;
      return new Promise((resolve, reject) => {
        const socket = connect({
          host,
          port,
          secureContext,
          rejectUnauthorized: trust.insecure !== true,
          ...(isIP(name) === 0 && { servername: name }),
          checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
        });
        const abort = (): void => void socket.destroy(new Error('aborted'));
        signal.addEventListener('abort', abort, { once: true });
        if (signal.aborted) abort();
        let seen: PeerCertificate | undefined;
        // Before Node looks at it, and throws the connection away.
        socket.prependOnceListener('secure', () => {
          seen = socket.getPeerCertificate();
        });
        socket.once('secureConnect', () => {
          signal.removeEventListener('abort', abort);
          socket.off('error', fail);
          resolve(socket);
        });
        const fail = (error: Error): void => {
          signal.removeEventListener('abort', abort);
          reject(new Error(explain(error, { name, port, seen }), { cause: error }));
        };
        socket.once('error', fail);
      });
    },
  };
}

interface Peer {
  readonly name: string;
  readonly port: number;
  readonly seen: PeerCertificate | undefined;
}

/** Begins with `certificate` exactly where the certificate is what is wrong. */
function explain(error: Error & { readonly code?: string }, { name, port, seen }: Peer): string {
  const code = error.code ?? '';
  const of = `certificate of ${name}:${port}`;
  const known = CERTIFICATE_PROBLEMS[code];
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = seen?.subjectaltname ?? `CN:${String(seen?.subject.CN ?? '')}`;
    return `${of} is made out to ${names}; set tls.server_name to the name that it should carry`;
  }
  if (code === 'CERT_HAS_EXPIRED') {
    return `${of} expired on ${seen?.valid_to ?? 'an unknown day'}; renew it on the device`;
  }
  if (known !== undefined) return `${of} ${known}`;
  if (/^(CERT|UNABLE_TO|DEPTH|SELF_SIGNED|CRL|HOSTNAME|INVALID_)/.test(code))
    return `${of}: ${error.message}`;
  if (code === 'ECONNREFUSED') return `${name}:${port}: connection refused`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `failed to resolve ${name}`;
  return `no TLS connection to ${name}:${port}: ${messageOf(error)}`;
}

const GIVE_CA = 'give its authority as tls.ca_file, or tls.insecure to accept any certificate';
const CERTIFICATE_PROBLEMS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'is signed by itself; give it as tls.ca_file, or tls.insecure to accept any certificate',
  SELF_SIGNED_CERT_IN_CHAIN: `comes from an authority that is not trusted here; ${GIVE_CA}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `comes from an authority that is not trusted here; ${GIVE_CA}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `comes from an authority that is not trusted here; ${GIVE_CA}`,
  UNABLE_TO_GET_ISSUER_CERT: `comes from an authority that is not trusted here; ${GIVE_CA}`,
  CERT_NOT_YET_VALID: 'is not valid yet; check the clocks of both sides',
  CERT_REVOKED: 'has been revoked',
};

const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
let authorities: string[] | undefined;

/** Those of the system, where they are found; else the ones that Node.js brings along. */
function systemAuthorities(): string[] {
  authorities ??= SYSTEM_BUNDLES.map(readBundle).find((bundle) => bundle !== undefined) ?? [
    ...rootCertificates,
  ];
  return authorities;
}

function readBundle(path: string): string[] | undefined {
  try {
    const bundle = readFileSync(path, 'utf8');
    return bundle.includes('BEGIN CERTIFICATE') ? [bundle] : undefined;
  } catch {
    return undefined;
  }
}
