import { batch, signal } from '@preact/signals';
import { ApiProblem, openLive, type ActionEvent, type LiveMessage } from '../../../src/client/index.ts';
import { answerOf, api, noticed, tokenHeld, url } from '../api/session.ts';
import { connection } from './connection.ts';
import { LiveStream } from './live-stream.ts';

/** Counters of queues and drops are not in the live records. */
const REFRESH_MS = 5000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;

/** Streams of the program in its order; undefined until the first answer. */
export const streams = signal<readonly LiveStream[] | undefined>(undefined);
/** The last action that began while the page was open: screen readers hear of it. */
export const newestAction = signal<ActionEvent | undefined>(undefined);

/** Follows the program until the signal: live records, and its counters. It connects again by itself. */
export async function follow(signal: AbortSignal): Promise<void> {
  let lastId: string | undefined;
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const until = AbortSignal.any([signal, attempt.signal]);
    try {
      const messages = await openLive({ url, token: tokenHeld, lastId, signal: until });
      await refresh();
      connection.value = 'live';
      pause = FIRST_PAUSE_MS;
      void refreshEvery(until);
      for await (const message of messages) {
        if (message.type !== 'missed') lastId = message.id;
        apply(message);
      }
      connection.value = 'offline';
    } catch (error) {
      connection.value = stateOf(noticed(error));
      // A journal that begins anew knows no id of the one before it.
      if (error instanceof ApiProblem && error.status === 400) lastId = undefined;
    } finally {
      attempt.abort();
    }
    await waitFor(pause, signal);
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }
}

/** Asks for all streams now. @throws ApiProblem */
export async function refresh(): Promise<void> {
  const { streams: views } = await answerOf(api.GET('/api/v1/streams'));
  batch(() => {
    const known = new Map(streams.value?.map((stream) => [stream.id, stream]));
    const now = views.map((view) => {
      const stream = known.get(view.stream_id);
      stream?.take(view);
      return stream ?? new LiveStream(view);
    });
    const isSame =
      now.length === streams.value?.length && now.every((one, index) => one === streams.value?.[index]);
    if (!isSame) streams.value = now;
  });
}

async function refreshEvery(signal: AbortSignal): Promise<void> {
  for (;;) {
    await waitFor(REFRESH_MS, signal);
    if (signal.aborted) return;
    // What fails here fails on the live connection too, which reports it.
    if (document.visibilityState === 'visible') await refresh().catch(() => undefined);
  }
}

function apply(message: LiveMessage): void {
  if (message.type === 'missed') {
    void refresh().catch(() => undefined);
    return;
  }
  const stream = streams.value?.find(({ id }) => id === message.payload.stream_id);
  if (!stream) {
    void refresh().catch(() => undefined);
    return;
  }
  batch(() => {
    if (message.type === 'clip.stats') stream.onClip(message.payload);
    else if (message.type === 'stream.status') stream.onStatus(message.payload);
    else if (stream.onEvent(message.payload) && message.payload.state === 'started')
      newestAction.value = message.payload;
  });
}

function stateOf(error: unknown): typeof connection.value {
  if (!(error instanceof ApiProblem)) return 'offline';
  if (error.status === 401) return 'locked';
  return error.code === 'NOT_READY' ? 'starting' : 'offline';
}

const woken = new EventTarget();

/** Connects at once where it waits to: a token was entered, the network is back. */
export function connectNow(): void {
  woken.dispatchEvent(new Event('wake'));
}

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      woken.removeEventListener('wake', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    woken.addEventListener('wake', done);
  });
}
