import { ActionstreamError, messageOf, systemCodeOf } from '../../core/errors.ts';

/** A failed write or open of `place`, with what to do about it. */
export function unwritable(place: string, error: unknown): ActionstreamError {
  if (error instanceof ActionstreamError) return error;
  const remedy = REMEDIES[systemCodeOf(error)] ?? 'correct it, or choose another sinks.ndjson.path';
  return new ActionstreamError('OUTPUT_UNWRITABLE', `${place}: ${messageOf(error)}; ${remedy}`, {
    cause: error,
  });
}

export function isReaderGone(error: unknown): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'].includes(
    systemCodeOf(error),
  );
}

const NO_ROOM = 'free space there; the records wait in the journal';
const NO_RIGHT = 'let this user write there, or choose another sinks.ndjson.path';
const NO_READER = 'start what reads this pipe; the records wait in the journal';
const REMEDIES: Readonly<Record<string, string>> = {
  ...{ ENOSPC: NO_ROOM, EDQUOT: NO_ROOM, EFBIG: NO_ROOM },
  ...{ EACCES: NO_RIGHT, EPERM: NO_RIGHT, EROFS: NO_RIGHT },
  ...{ ENXIO: NO_READER, EPIPE: NO_READER },
  EISDIR: 'it is a folder: name a file in sinks.ndjson.path',
  ENOTDIR: 'a part of this path is a file: choose another sinks.ndjson.path',
  EMFILE: 'raise the limit of open files (ulimit -n)',
};
