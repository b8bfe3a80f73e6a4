import { ActionstreamError, messageOf } from '../../core/errors.ts';

export interface BodyRequest {
  readonly url: string;
  /** First byte wanted. */
  readonly from: number;
  /**
   * What the server called the file when its beginning came: its ETag or date.
   * A file that has changed comes whole.
   */
  readonly validator: string | undefined;
  readonly stallMs: number;
  readonly signal: AbortSignal;
}

/** A response that is being read. Disposing of it ends the connection. */
export interface Body extends AsyncDisposable {
  /** First byte that comes: 0 where the server knows no ranges. */
  readonly from: number;
  /** The ETag or date of the file, to ask with for the rest of it. */
  readonly validator: string | undefined;
  /** Length of the whole file, where the server says. */
  readonly total: number | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Whether it ended because nothing came any more. */
  readonly stalled: () => boolean;
}

/**
 * @throws ActionstreamError DOWNLOAD_FAILED where the server cannot be reached or has no such file; ABORTED
 */
export async function openBody({ url, from, validator, stallMs, signal }: BodyRequest): Promise<Body> {
  const controller = new AbortController();
  const state = { stalled: false };
  const abort = (): void => {
    controller.abort();
  };
  const watch = setTimeout(() => {
    state.stalled = true;
    abort();
  }, stallMs);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const dispose = (): void => {
    clearTimeout(watch);
    signal.removeEventListener('abort', abort);
    abort();
  };
  try {
    const response = await request({ url, from, validator }, controller.signal);
    if (response.body === null) throw failed(url, 'answers without a body');
    const resumed = response.status === 206;
    const length = lengthOf(response, resumed ? from : 0);
    return {
      from: resumed ? from : 0,
      validator: validatorOf(response),
      total: length,
      chunks: watched(response.body, watch),
      stalled: () => state.stalled,
      [Symbol.asyncDispose]: () => {
        dispose();
        return Promise.resolve();
      },
    };
  } catch (error) {
    dispose();
    if (error instanceof ActionstreamError) throw error;
    if (signal.aborted) throw new ActionstreamError('ABORTED', 'interrupted', { cause: error });
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw failed(
      url,
      state.stalled ? `no answer for ${stallMs / 1000} s` : `cannot be reached: ${messageOf(cause)}`,
      error,
    );
  }
}

/**
 * Asks from a byte on; a range beyond the end (a kept file that is longer) is asked for anew, from the start.
 */
async function request(
  { url, from, validator }: Pick<BodyRequest, 'url' | 'from' | 'validator'>,
  signal: AbortSignal,
): Promise<Response> {
  const whole = { url, from: 0, validator: undefined };
  // Compressed on the way, a range would count other bytes.
  const headers = {
    'accept-encoding': 'identity',
    ...(from > 0 && { range: `bytes=${from}-` }),
    ...(from > 0 && validator !== undefined && { 'if-range': validator }),
  };
  const response = await fetch(url, { headers, signal });
  if (url.startsWith('https:') && response.url.startsWith('http:')) throw failed(url, 'redirects out of TLS');
  if (response.status === 416 && from > 0) return request(whole, signal);
  if (!response.ok) throw failed(url, `the server answers ${response.status} ${response.statusText}`.trim());
  const range = response.headers.get('content-range');
  if (response.status !== 206) return response;
  // A server that knows no If-Range sends the rest of another file.
  const same =
    validator === undefined || validatorOf(response) === undefined || validatorOf(response) === validator;
  if (!same || !range?.startsWith(`bytes ${from}-`)) return request(whole, signal);
  return response;
}

/** A weak ETag may stay while bytes change. */
function validatorOf({ headers }: Response): string | undefined {
  const tag = headers.get('etag');
  return (tag?.startsWith('W/') ? undefined : tag) ?? headers.get('last-modified') ?? undefined;
}

function lengthOf(response: Response, from: number): number | undefined {
  const length = response.headers.get('content-length');
  return length === null ? undefined : from + Number(length);
}

async function* watched(body: ReadableStream<Uint8Array>, watch: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    watch.refresh();
    yield chunk;
  }
}

export function failed(url: string, problem: string, cause?: unknown): ActionstreamError {
  return new ActionstreamError('DOWNLOAD_FAILED', `${url}: ${problem}`, { cause });
}
