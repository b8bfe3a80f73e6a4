import { ActionstreamError } from '../core/errors.ts';
import { redactUrls } from '../core/redact.ts';

/** Where a source is, in one form for ffmpeg and one for people. */
export interface SourceAddress {
  /** What ffmpeg opens, credentials included. Never log it. */
  readonly url: string;
  /** The same without secrets. */
  readonly display: string;
  readonly protocol: 'file' | 'rtsp' | 'other';
  /** Path on this machine where `protocol` is `file`. */
  readonly path?: string;
  /** Takes whatever would give this source's secrets away out of a text. */
  redact(text: string): string;
}

export interface SourceLocation {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** ffmpeg's RTSP client keeps `user:password`, still percent-encoded, in 128 bytes and cuts the rest off silently. */
const RTSP_USER_INFO_MAX = 127;

/**
 * Joins URL, user and password; fields win over what the URL carries. Every character of a password given as a field
 * is accepted. @throws CONFIG_INVALID where ffmpeg could not log in with the result
 */
export function composeSourceAddress(location: SourceLocation): SourceAddress {
  const match = /^([a-z][a-z0-9+.-]+):\/\/([^/?#]*)(.*)$/is.exec(location.url);
  if (!match) return fileAddress(location.url);
  const [, scheme = '', authority = '', rest = ''] = match;
  if (scheme.toLowerCase() === 'file') return fileAddress(decodeText(rest));
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  if (!/^(\[[0-9a-f:.%]+\]|[^:\s]+)(:\d+)?$/i.test(host)) throw brokenAuthority(scheme);
  const userInfo = composeUserInfo(location, at < 0 ? undefined : authority.slice(0, at));
  const protocol = /^rtsps?$/i.test(scheme) ? 'rtsp' : 'other';
  if (protocol === 'rtsp' && userInfo.length > RTSP_USER_INFO_MAX) throw tooLong(userInfo.length);
  const tail = encode(rest, /['"\\]|[^\x21-\x7e]/gu);
  const url = `${scheme.toLowerCase()}://${userInfo ? `${userInfo}@` : ''}${host}${tail}`;
  return {
    url,
    display: hideQuerySecrets(redactUrls(url)),
    protocol,
    redact: redactor([url, userInfo, location.password ?? '', userInfo.slice(userInfo.indexOf(':') + 1)]),
  };
}

function fileAddress(path: string): SourceAddress {
  // The prefix keeps names such as `-x.mp4`, `cam:1.mp4` or `concat:a` from being taken for options or protocols.
  return { url: `file:${path}`, display: path, protocol: 'file', path, redact: redactUrls };
}

function composeUserInfo({ username, password }: SourceLocation, inUrl: string | undefined): string {
  const colon = inUrl?.indexOf(':') ?? -1;
  const user = username ?? decodeText(colon < 0 ? (inUrl ?? '') : (inUrl ?? '').slice(0, colon));
  const secret = password ?? (colon < 0 ? undefined : decodeText((inUrl ?? '').slice(colon + 1)));
  if (user.includes(':')) {
    throw new ActionstreamError(
      'CONFIG_INVALID',
      'the user name of a source may not hold a colon: RTSP and HTTP end it there',
    );
  }
  if (user === '' && secret === undefined) return '';
  return secret === undefined
    ? encodeCredential(user)
    : `${encodeCredential(user)}:${encodeCredential(secret)}`;
}

/** Encodes only what the URL, the playlist or our redaction would trip over, because the room is 127 bytes. */
function encodeCredential(text: string): string {
  return encode(text, /[%/?#@:'"\\]|[^\x21-\x7e]/gu);
}

function encode(text: string, pattern: RegExp): string {
  return text.replace(pattern, (character) =>
    Array.from(new TextEncoder().encode(character), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(
      '',
    ),
  );
}

/** `%41` → `A`; a percent sign that starts no valid escape stands for itself. */
function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const QUERY_SECRET = /([?&][^=&#\s]*(?:pass|pwd|token|key|secret|auth|user)[^=&#\s]*=)(?!\*{3})[^&#\s'"]*/gi;

function hideQuerySecrets(text: string): string {
  return text.replace(QUERY_SECRET, '$1***');
}

function redactor(secrets: readonly string[]): (text: string) => string {
  const [url = '', ...parts] = secrets;
  // Short parts would blank out ordinary words; inside a URL they are removed all the same.
  const telling = parts.filter((part) => part.length > 3);
  return (text) => {
    const hidden = text.replaceAll(url, hideQuerySecrets(redactUrls(url)));
    return hideQuerySecrets(redactUrls(telling.reduce((rest, part) => rest.replaceAll(part, '***'), hidden)));
  };
}

function brokenAuthority(scheme: string): ActionstreamError {
  return new ActionstreamError(
    'CONFIG_INVALID',
    `the ${scheme} URL of a source has no valid host and port; percent-encode / ? # in its password, or give ` +
      'user and password as fields of their own',
  );
}

function tooLong(length: number): ActionstreamError {
  return new ActionstreamError(
    'CONFIG_INVALID',
    `user and password of an RTSP source take ${length} bytes when percent-encoded; ffmpeg accepts ${RTSP_USER_INFO_MAX}`,
  );
}
