import { domainToASCII } from 'node:url';

import { ActionstreamError } from '../core/errors.ts';
import { redact, redactPath } from '../core/redact.ts';
import { knownScheme, refuseDevice, SCHEMES, type Scheme, type SchemeName } from './source-schemes.ts';
import type { RtspTransport, SourceTrust } from './types.ts';

/** Where a source is, in one form for ffmpeg and one for people. */
export interface SourceAddress {
  /** What ffmpeg opens, credentials included. Never log it. */
  readonly url: string;
  /** The same without secrets. */
  readonly display: string;
  /** `sdp`: a file that describes an RTP stream, which arrives over the network. */
  readonly protocol: 'file' | 'sdp' | 'rtsp' | 'other';
  /** Path on this machine where `protocol` is `file` or `sdp`. */
  readonly path?: string;
  /** This program waits at the address for a sender. */
  readonly listens: boolean;
  readonly transport: RtspTransport;
  /** Of sources inside TLS: whom we connect to, and what ffmpeg speaks with them. */
  readonly secure?: SecureTarget;
  /** Takes whatever would give this source's secrets away out of a text. */
  redact(text: string): string;
}

export interface SecureTarget {
  readonly host: string;
  readonly port: number;
  readonly trust: SourceTrust;
  readonly plain: NonNullable<Scheme['tls']>;
}

export interface SourceLocation {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** RTSP only. Default `auto`. */
  readonly transport?: RtspTransport;
  /** Of https, rtsps and rtmps. Default: the authorities that this machine trusts. */
  readonly tls?: SourceTrust;
}

/**
 * ffmpeg's RTSP client keeps `user:password`, still percent-encoded, in 128
 * bytes and cuts the rest off silently.
 */
const RTSP_USER_INFO_MAX = 127;

/**
 * Joins URL, user and password; fields win over what the URL carries. Every
 * character of a password given as a field is accepted. @throws CONFIG_INVALID
 * where ffmpeg could not log in with the result, or reads no such source
 */
export function composeSourceAddress(location: SourceLocation): SourceAddress {
  const match = /^([a-z][a-z0-9+.-]+):\/\/([^/?#]*)(.*)$/is.exec(location.url);
  if (!match) return fileAddress(location.url.replace(/^file:/i, ''));
  const [, name = '', authority = '', rest = ''] = match;
  if (name.toLowerCase() === 'file') return fileAddress(decodeText(rest));
  refuseDevice(location.url);
  const scheme = knownScheme(name);
  const listens = listensAt(scheme, rest);
  const at = authority.lastIndexOf('@');
  const { host, port, bracketed } = splitHost(authority.slice(at + 1), { scheme, listens });
  const userInfo = composeUserInfo(location, at < 0 ? undefined : authority.slice(0, at));
  const protocol = scheme === 'rtsp' || scheme === 'rtsps' ? 'rtsp' : 'other';
  if (protocol === 'rtsp' && userInfo.length > RTSP_USER_INFO_MAX) throw tooLong(userInfo.length);
  const transport = location.transport ?? 'auto';
  if (scheme === 'rtsps' && transport !== 'auto' && transport !== 'tcp') throw notInsideTls(transport);
  const tail = encode(rest, /['"\\]|[^\x21-\x7e]/gu);
  const where = `${bracketed ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`;
  const url = `${scheme}://${userInfo ? `${userInfo}@` : ''}${where}${tail}`;
  const display = `${scheme}://${userInfo ? '***@' : ''}${where}${redactPath(tail)}`;
  const { tls: plain, port: usual }: Scheme = SCHEMES[scheme];
  return {
    url,
    display,
    protocol,
    listens,
    transport,
    ...(plain && { secure: { host, port: port ?? usual, trust: location.tls ?? {}, plain } }),
    redact: redactor({ url, display }, [
      userInfo,
      location.password ?? '',
      userInfo.slice(userInfo.indexOf(':') + 1),
    ]),
  };
}

function fileAddress(path: string): SourceAddress {
  refuseDevice(path);
  const sdp = /\.sdp$/i.test(path);
  // The prefix keeps names such as `-x.mp4`, `cam:1.mp4` or `concat:a` from
  // being taken for options or protocols.
  const url = `file:${path}`;
  const protocol = sdp ? 'sdp' : 'file';
  return { url, display: path, protocol, path, listens: sdp, transport: 'auto', redact };
}

function listensAt(scheme: SchemeName, rest: string): boolean {
  const { listens }: Scheme = SCHEMES[scheme];
  return listens?.test(rest) ?? false;
}

/** Only an address at which we wait may leave its host out: then it is every address of this machine. */
function splitHost(
  text: string,
  { scheme, listens }: { readonly scheme: SchemeName; readonly listens: boolean },
): { readonly host: string; readonly port: number | undefined; readonly bracketed: boolean } {
  const match = /^(?:\[([0-9a-z:.%]+)\]|([^:\s[\]]*))(?::(\d+))?$/i.exec(text);
  const named = match?.[1] ?? match?.[2] ?? '';
  // Names in other scripts as the name service knows them.
  const host = /^[\x21-\x7e]*$/.test(named) ? named : domainToASCII(named);
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  if (!match || /['"\\]/.test(host) || (named !== '' && host === '')) throw brokenAuthority(scheme);
  if (port !== undefined && (port < 1 || port > 65_535)) throw brokenAuthority(scheme);
  if (host === '' && !listens) throw noHost(scheme);
  if (port === undefined && SCHEMES[scheme].port === 0) {
    throw new ActionstreamError(
      'CONFIG_INVALID',
      `the ${scheme} URL of a source names no port; write host:port`,
    );
  }
  return { host, port, bracketed: match[1] !== undefined };
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

/**
 * Encodes only what the URL, the playlist or our redaction would trip over, because the room is 127 bytes.
 */
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

function redactor(
  { url, display }: Pick<SourceAddress, 'url' | 'display'>,
  parts: readonly string[],
): (text: string) => string {
  const [userInfo = ''] = parts;
  const basic = userInfo === '' ? '' : Buffer.from(decodeText(userInfo)).toString('base64');
  // Short parts would blank out ordinary words; inside a URL they are removed all the same.
  const telling = [...parts, basic].filter((part) => part.length > 3);
  return (text) => {
    const hidden = text.replaceAll(url, display);
    return redact(telling.reduce((rest, part) => rest.replaceAll(part, '***'), hidden));
  };
}

function brokenAuthority(scheme: string): ActionstreamError {
  return new ActionstreamError(
    'CONFIG_INVALID',
    `the ${scheme} URL of a source has no valid host and port; percent-encode / ? # in its password, or give ` +
      'user and password as fields of their own',
  );
}

function noHost(scheme: SchemeName): ActionstreamError {
  const wait = LISTENING[scheme];
  return new ActionstreamError(
    'CONFIG_INVALID',
    `the ${scheme} URL of a source names no host; write ${scheme}://host/…${wait ? `, or add ${wait} to wait for a sender` : ''}`,
  );
}

const LISTENING: Readonly<Partial<Record<SchemeName, string>>> = {
  srt: '?mode=listener',
  tcp: '?listen=1',
  rtmp: '?listen=1',
};

function tooLong(length: number): ActionstreamError {
  return new ActionstreamError(
    'CONFIG_INVALID',
    `user and password of an RTSP source take ${length} bytes when percent-encoded; ffmpeg accepts ${RTSP_USER_INFO_MAX}`,
  );
}

function notInsideTls(transport: RtspTransport): ActionstreamError {
  return new ActionstreamError(
    'CONFIG_INVALID',
    `transport: ${transport} would carry the video of an rtsps source outside its TLS connection; use tcp, or rtsp://`,
  );
}
