import { ActionstreamError, type ErrorCode } from '../core/errors.ts';
import type { SourceAddress } from './source-address.ts';
import { TLS_MARK } from './tls/relay.ts';

/** Why a source gave no (more) frames: the closed vocabulary of transitions and of the reconnect counter. */
type FaultReason =
  | 'untrusted'
  | 'unsupported'
  | 'unauthorized'
  | 'not_found'
  | 'unreachable'
  | 'no_video'
  | 'invalid_data'
  | 'ffmpeg_missing'
  | 'no_frames'
  | 'exit';

export interface SourceFault {
  readonly reason: FaultReason;
  /** What a source that must be readable at once (a file, a probe) throws. */
  readonly code: ErrorCode;
  /** The line that tells, already redacted. */
  readonly detail: string;
}

/** What ffmpeg says where a source without TLS leads into TLS, which is opened by this program only. */
const LEADS_INTO_TLS = /protocol '(https|tls|rtsps|rtmps)' not on whitelist/i;

/** The status that a server answered with: in an address or a file's name, the same digits tell nothing. */
function answered(statuses: string, others: string): RegExp {
  return new RegExp(`(?:failed:|error|returned) (?:${statuses})|${others}`, 'i');
}

/**
 * First match wins, whatever the order of ffmpeg's lines. Texts of ffmpeg 5.1 to 9.0; exit codes say nothing
 * (0 when an RTSP server dies, 1 or 8 or 145 for the same refusal).
 */
const SYMPTOMS: readonly (readonly [RegExp, FaultReason, ErrorCode])[] = [
  [new RegExp(`${TLS_MARK}certificate`), 'untrusted', 'SOURCE_UNTRUSTED'],
  [LEADS_INTO_TLS, 'untrusted', 'SOURCE_UNTRUSTED'],
  [new RegExp(TLS_MARK), 'unreachable', 'SOURCE_UNREACHABLE'],
  [/protocol not found|not on whitelist|unknown input format/i, 'unsupported', 'SOURCE_UNSUPPORTED'],
  [
    answered('401\\b|403\\b.*forbidden', 'unauthorized|authorization failed|access denied'),
    'unauthorized',
    'SOURCE_UNAUTHORIZED',
  ],
  [answered('404\\b|410\\b', 'stream not found'), 'not_found', 'SOURCE_NOT_FOUND'],
  [
    /connection refused|timed out|no route to host|host is unreachable|network is unreachable|connection reset/i,
    'unreachable',
    'SOURCE_UNREACHABLE',
  ],
  [
    answered(
      '5\\d\\d\\b|5XX|461\\b',
      'failed to resolve|name or service not known|name resolution|service unavailable',
    ),
    'unreachable',
    'SOURCE_UNREACHABLE',
  ],
  [
    /matches no streams|does not contain any stream|no decoder|decoder .* not found/i,
    'no_video',
    'SOURCE_NO_VIDEO',
  ],
  [/actionstream-guard: .*(not found|permission denied)/i, 'ffmpeg_missing', 'FFMPEG_MISSING'],
  [/no such file|is a directory|permission denied/i, 'invalid_data', 'INPUT_INVALID'],
  [
    /moov atom not found|invalid data found|end of file|could not find codec|error opening/i,
    'invalid_data',
    'INPUT_INVALID',
  ],
];

/** The cause behind ffmpeg's last messages; `exit` where they name none. */
export function classifyFault(messages: readonly string[], fallback: SourceFault): SourceFault {
  for (const [symptom, reason, code] of SYMPTOMS) {
    const detail = messages.findLast((message) => symptom.test(message));
    if (detail !== undefined) return { reason, code, detail: detail.replace(TLS_MARK, '') };
  }
  return fallback;
}

/** The error that a fault becomes where nobody retries. */
export function faultError(address: SourceAddress, { code, detail }: SourceFault): ActionstreamError {
  const cause = detail.replace('file:', '').replace(`${address.display}: `, '');
  const remedy = LEADS_INTO_TLS.test(cause)
    ? '; it leads to an address inside TLS: give the https address itself'
    : (REMEDIES[code] ?? '');
  return new ActionstreamError(code, `${address.display}: ${cause}${remedy}`);
}

/**
 * A line of ffmpeg without secrets and memory addresses, and with the source's
 * name where ffmpeg saw our playlist.
 */
export function redacted(line: string, address: SourceAddress): string {
  return address
    .redact(line)
    .replace(/ @ 0x[0-9a-f]+/g, '')
    .replaceAll('pipe:0', address.display);
}

const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  SOURCE_UNSUPPORTED:
    '; `ffmpeg -protocols` lists what this ffmpeg reads: install one that was built with it',
  SOURCE_UNAUTHORIZED: '; check user and password',
  SOURCE_UNREACHABLE: '; check host, port and network',
  SOURCE_NOT_FOUND: "; check the path in the URL against the camera's manual",
  SOURCE_NO_VIDEO: '; give a source with a video track that ffmpeg can decode',
  INPUT_INVALID: '; the file is damaged, cut short or no video',
  SOURCE_STALLED: '; check the camera, or raise the no-frame timeout',
};
