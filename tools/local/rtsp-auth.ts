import { createHash, randomBytes } from 'node:crypto';

export interface RtspAuth {
  readonly username: string;
  readonly password: string;
  readonly scheme: 'basic' | 'digest';
}

export interface Authenticator {
  /** Value of the `WWW-Authenticate` header. */
  readonly challenge: string;
  accepts(method: string, authorization: string | undefined): boolean;
}

const REALM = 'actionstream';

/** RFC 2617 without `qop`, as cameras do it. */
export function createAuthenticator({ username, password, scheme }: RtspAuth): Authenticator {
  if (scheme === 'basic') {
    const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    return { challenge: `Basic realm="${REALM}"`, accepts: (_, authorization) => authorization === expected };
  }
  const nonce = randomBytes(16).toString('hex');
  return {
    challenge: `Digest realm="${REALM}", nonce="${nonce}"`,
    accepts(method, authorization = '') {
      const field = (name: string): string =>
        new RegExp(`\\b${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(authorization)?.[1] ?? '';
      const secret = md5(`${username}:${REALM}:${password}`);
      const response = md5(`${secret}:${nonce}:${md5(`${method}:${field('uri')}`)}`);
      return (
        authorization.startsWith('Digest ') &&
        field('username') === username &&
        field('response') === response
      );
    },
  };
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
