/**
 * Every failure a user can meet has a code from this closed list. Callers branch on `code` and `retryable`,
 * never on message text. The message names the thing, the place and the remedy.
 */
export const ERROR_CODES = {
  // code: [exit code of the command line, may the same call succeed later?, one-line meaning]
  USAGE: [2, false, 'the command line is not understood'],
  CONFIG_INVALID: [2, false, 'the configuration file has an unknown key or a wrong value'],
  INPUT_INVALID: [2, false, 'an input file is missing, truncated or not what its name says'],
  MODEL_INVALID: [2, false, 'a model, its manifest or its weights do not fit the network'],
  DOWNLOAD_FAILED: [3, true, 'a published checkpoint cannot be fetched whole'],
  NETWORK_UNKNOWN: [2, false, 'no network or layer of that name in the S3D family'],
  SAMPLER_INVALID: [2, false, 'a sampler setting is out of range'],
  FFMPEG_MISSING: [3, false, 'no usable ffmpeg was found'],
  SOURCE_UNREACHABLE: [3, true, 'a camera or file server cannot be reached'],
  SOURCE_UNTRUSTED: [3, true, 'the certificate of a source cannot be trusted'],
  SOURCE_UNSUPPORTED: [3, false, 'this ffmpeg cannot read sources of that kind'],
  SOURCE_UNAUTHORIZED: [3, true, 'the camera refuses the user name or password'],
  SOURCE_NOT_FOUND: [3, true, 'the camera knows no such path'],
  SOURCE_NO_VIDEO: [1, false, 'the input holds no video that ffmpeg can decode'],
  SOURCE_STALLED: [3, true, 'the source is connected but sends no frames'],
  ENGINE_FAILED: [1, true, 'the inference engine failed on a clip'],
  ENGINE_UNAVAILABLE: [3, false, 'the engine or device cannot be used on this machine'],
  JOURNAL_UNWRITABLE: [1, false, 'the journal directory cannot be written, or was deleted or replaced'],
  JOURNAL_CORRUPT: [1, false, 'acknowledged records of the journal are damaged or missing'],
  JOURNAL_LOCKED: [1, false, 'another process is using the journal directory, or has taken it over'],
  KAFKA_UNREACHABLE: [3, true, 'no Kafka broker answers'],
  KAFKA_REFUSED: [3, false, 'Kafka refuses the credentials, the topic or the record'],
  KAFKA_UNAVAILABLE: [3, true, 'a Kafka topic cannot take records now: no leader, or too few replicas'],
  POSTGRES_UNREACHABLE: [3, true, 'Postgres does not answer'],
  POSTGRES_REFUSED: [3, false, 'Postgres refuses the credentials, the database or the statement'],
  SCHEMA_OUTDATED: [3, false, 'the database schema is older or newer than this program'],
  OUTPUT_UNWRITABLE: [3, true, 'the NDJSON file or stream cannot be written'],
  OUTPUT_CLOSED: [1, false, 'the reader of standard output went away'],
  NOT_CONSISTENT: [1, false, 'journal, Kafka and Postgres do not hold the same episodes'],
  ABORTED: [130, false, 'the operation was interrupted'],
  INTERNAL: [1, false, 'a defect of actionstream itself'],
} as const satisfies Record<string, readonly [exitCode: number, retryable: boolean, meaning: string]>;

export type ErrorCode = keyof typeof ERROR_CODES;

export class ActionstreamError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'ActionstreamError';
    this.code = code;
    [this.exitCode, this.retryable] = ERROR_CODES[code];
  }
}

/** Any thrown value as an error of ours; foreign errors become INTERNAL (or ABORTED) with the original as cause. */
export function toActionstreamError(error: unknown): ActionstreamError {
  if (error instanceof ActionstreamError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new ActionstreamError('ABORTED', 'interrupted', { cause: error });
  }
  return new ActionstreamError('INTERNAL', messageOf(error), { cause: error });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
