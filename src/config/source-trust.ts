import { X509Certificate } from 'node:crypto';
import type { Report } from './explain-issues.ts';
import type { SettingPath } from './problem.ts';
import type { Settings } from './schema.ts';
import type { FileSettings } from './secrets.ts';
import type { StreamSettings } from './types.ts';

type TlsSettings = NonNullable<Settings['defaults']['tls']>;

/** @returns undefined where nothing is said: the authorities of this machine are asked */
export function sourceTrust(
  tls: TlsSettings | undefined,
  path: SettingPath,
  { files, report }: { readonly files: FileSettings; readonly report: Report },
): StreamSettings['tls'] {
  if (!tls) return undefined;
  const ca = files.file(tls, path, 'ca_file');
  if (tls.insecure && ca !== undefined) {
    report({
      path: [...path, 'insecure'],
      message: 'accepts any certificate, so ca_file means nothing; drop one',
    });
  }
  if (ca !== undefined && !isCertificate(ca)) {
    report({
      path: [...path, 'ca_file'],
      message: 'holds no certificate; expected PEM (-----BEGIN CERTIFICATE-----)',
    });
  }
  const { serverName, insecure } = tls;
  return {
    ...(ca !== undefined && { ca }),
    ...(serverName !== undefined && { serverName }),
    ...(insecure && { insecure }),
  };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
