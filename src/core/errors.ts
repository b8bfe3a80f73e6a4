/**
 * Every failure a user can meet has a code from this closed list. Callers branch on `code` and
 * `retryable`, never on message text. The message of an error names the thing, the place and the remedy
 * of this one case; the list holds the meaning and the remedy of the code in general (docs/errors.md).
 */
export const ERROR_CODES = {
  USAGE: final(
    2,
    'the command line is not understood',
    'correct it: `actionstream COMMAND --help` lists what it takes',
  ),
  CONFIG_INVALID: final(
    2,
    'the configuration file has an unknown key or a wrong value',
    'correct the key that the message names; config.md lists all keys',
  ),
  INPUT_INVALID: final(
    2,
    'an input file is missing, truncated or not what its name says',
    'give a file that is whole and of the kind that the message asks for',
  ),
  MODEL_INVALID: final(
    2,
    'a model, its manifest or its weights do not fit the network',
    'import the model again; `actionstream models ls` lists the shipped ones',
  ),
  DOWNLOAD_FAILED: transient(
    3,
    'a published checkpoint cannot be fetched whole',
    'try again, or fetch the file by other means and import it',
  ),
  NETWORK_UNKNOWN: final(
    2,
    'no network or layer of that name in the S3D family',
    'use a name that the message lists',
  ),
  SAMPLER_INVALID: final(
    2,
    'a sampler setting is out of range',
    'set a value within the range that the message gives',
  ),
  FFMPEG_MISSING: final(
    3,
    'no usable ffmpeg was found',
    'install ffmpeg 5.1 or later, or name one in FFMPEG_PATH',
  ),
  SOURCE_UNREACHABLE: transient(
    3,
    'a camera or file server cannot be reached',
    'check the address, the network and the camera',
  ),
  SOURCE_UNTRUSTED: transient(
    3,
    'the certificate of a source cannot be trusted',
    'name its authority or fingerprint in the settings of the source, or renew the certificate',
  ),
  SOURCE_UNSUPPORTED: final(
    3,
    'this ffmpeg cannot read sources of that kind',
    'use another protocol, or an ffmpeg that has this one',
  ),
  SOURCE_UNAUTHORIZED: transient(
    3,
    'the camera refuses the user name or password',
    'correct the user name and password of the source',
  ),
  SOURCE_NOT_FOUND: transient(
    3,
    'the camera knows no such path',
    'correct the path in the address of the source',
  ),
  SOURCE_NO_VIDEO: final(
    1,
    'the input holds no video that ffmpeg can decode',
    'give a source with a video track; `actionstream probe` shows what it holds',
  ),
  SOURCE_STALLED: transient(
    3,
    'the source is connected but sends no frames',
    'look at the load and the network of the camera, or restart it',
  ),
  ENGINE_FAILED: transient(
    1,
    'the inference engine failed on a clip',
    'try again; report it with the log where it lasts',
  ),
  ENGINE_UNAVAILABLE: final(
    3,
    'the engine or device cannot be used on this machine',
    'choose another engine or device; `actionstream doctor` shows what this machine has',
  ),
  JOURNAL_UNWRITABLE: final(
    1,
    'the journal directory cannot be written, or was deleted or replaced',
    'give this user a directory that it may write, with free space, and start again',
  ),
  JOURNAL_CORRUPT: final(
    1,
    'acknowledged records of the journal are damaged or missing',
    'keep what can be read with `actionstream journal salvage`, and check the disk',
  ),
  JOURNAL_LOCKED: final(
    1,
    'another process is using the journal directory, or has taken it over',
    'stop the other process, or give this one a directory of its own',
  ),
  KAFKA_UNREACHABLE: transient(
    3,
    'no Kafka broker answers',
    'check `sinks.kafka.brokers`, the network and the brokers',
  ),
  KAFKA_REFUSED: final(
    3,
    'Kafka refuses the credentials, the topic or the record',
    'correct the credentials, the rights or the topic that the message names',
  ),
  KAFKA_UNAVAILABLE: transient(
    3,
    'a Kafka topic cannot take records now: no leader, or too few replicas',
    'bring the brokers of the topic back',
  ),
  POSTGRES_UNREACHABLE: transient(
    3,
    'Postgres does not answer',
    'check `sinks.postgres.url`, the network and the server',
  ),
  POSTGRES_REFUSED: final(
    3,
    'Postgres refuses the credentials, the database or the statement',
    'correct the credentials or the rights that the message names',
  ),
  SCHEMA_OUTDATED: final(
    3,
    'the database schema is older or newer than this program',
    'run `actionstream migrate`, or use a program that is as new as the schema',
  ),
  OUTPUT_UNWRITABLE: transient(
    3,
    'the NDJSON file or stream cannot be written',
    'free space, let this user write there, or choose another `sinks.ndjson.path`',
  ),
  OUTPUT_CLOSED: final(
    1,
    'the reader of standard output went away',
    'start again with a reader, or set `sinks.ndjson.path` to a file',
  ),
  NOT_CONSISTENT: final(
    1,
    'journal, Kafka and Postgres do not hold the same episodes',
    'read the differences that are listed; `actionstream events rebuild` or `redeliver` sends records again',
  ),
  ABORTED: final(130, 'the operation was interrupted', 'start it again'),
  INTERNAL: final(1, 'a defect of actionstream itself', 'report it with the message and the stack'),
};

interface ErrorKind {
  readonly exitCode: number;
  /** May the same call succeed later? */
  readonly retryable: boolean;
  readonly meaning: string;
  readonly remedy: string;
}

function final(exitCode: number, meaning: string, remedy: string): ErrorKind {
  return { exitCode, retryable: false, meaning, remedy };
}

function transient(exitCode: number, meaning: string, remedy: string): ErrorKind {
  return { exitCode, retryable: true, meaning, remedy };
}

export type ErrorCode = keyof typeof ERROR_CODES;

export class ActionstreamError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'ActionstreamError';
    this.code = code;
    ({ exitCode: this.exitCode, retryable: this.retryable } = ERROR_CODES[code]);
  }
}

/**
 * Any thrown value as an error of ours; foreign errors become INTERNAL (or
 * ABORTED) with the original as cause.
 */
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

/** Of an error of the system or a driver: `ENOENT`, `28P01`; empty for other values. */
export function systemCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
