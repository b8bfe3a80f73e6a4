import { createHash, timingSafeEqual } from 'node:crypto';

/** `read` may look, `admin` may change. */
export type Role = 'read' | 'admin';

/** Who may ask. The token itself is kept nowhere, only its SHA-256. */
export interface ApiToken {
  readonly role: Role;
  readonly digest: Buffer;
  /** Whose it is, as far as the file says. */
  readonly name?: string;
}

/**
 * Tokens of a file: a line is a role, a token and, if known, the name of its holder, with spaces between.
 * Empty lines and remarks (`#`) are left out.
 * @throws Error naming the line, never its token
 */
export function parseTokens(written: string): readonly ApiToken[] {
  const tokens = written.split(/\r?\n/).flatMap((line, index) => {
    if (/^\s*(#|$)/.test(line)) return [];
    const [, role, token, name] = LINE.exec(line) ?? [];
    if (token === undefined) {
      throw new Error(
        `line ${index + 1}: expected read or admin, a space, and a token of at least 16 printable characters`,
      );
    }
    return [{ role: role as Role, digest: digestOf(token), ...(name !== undefined && { name }) }];
  });
  if (tokens.length > 0) return tokens;
  throw new Error('holds no token; write a line such as: admin 0123456789abcdef');
}

const LINE = /^\s*(read|admin)\s+([\x21-\x7e]{16,})(?:\s+([\p{L}\p{N}._@-]{1,64}))?\s*$/u;

/** Whose the token of `Authorization: Bearer TOKEN` is. Every token is compared, each in constant time. */
export function holderOf(header: string | undefined, tokens: readonly ApiToken[]): ApiToken | undefined {
  const given = digestOf(/^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? '');
  const matching = tokens.filter(({ digest }) => timingSafeEqual(digest, given));
  return matching.find(({ role }) => role === 'admin') ?? matching[0];
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
