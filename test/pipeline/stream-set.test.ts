import { expect, it } from 'vitest';
import { sleep, stopReasonOf } from '../../src/core/abort.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { StreamSet, type StreamState } from '../../src/pipeline/stream-set.ts';
import type { StreamJob } from '../../src/pipeline/types.ts';
import { idleJob } from '../support/idle-job.ts';

interface Wish {
  readonly streamId: string;
  readonly paused: boolean;
  readonly url: string;
}

/** One life of a stream. */
class Source {
  readonly wish: Wish;
  readonly after: string | undefined;
  stoppedFor: string | undefined;
  left = false;
  end!: (error?: Error) => void;
  /** What holds up the end after a signal. */
  holdUp: Promise<void> = Promise.resolve();
  readonly job: StreamJob;

  constructor(wish: Wish, after: string | undefined) {
    this.wish = wish;
    this.after = after;
    const ended = new Promise<void>((resolve, reject) => {
      this.end = (error) => {
        if (error) reject(error);
        else resolve();
      };
    });
    this.job = idleJob(wish.streamId, {
      ended,
      onStop: async (signal) => {
        await this.holdUp;
        this.stoppedFor = stopReasonOf(signal) ?? 'the end';
      },
      onLeave: () => (this.left = true),
    });
  }
}

function createSet(keepsServing = false) {
  const sources: Source[] = [];
  const removed: string[] = [];
  const stop = new AbortController();
  const set = new StreamSet<Wish>({
    ...{ signal: stop.signal, logger: silentLogger, keepsServing },
    build: (wish, after) => {
      if (wish.url === 'impossible') return Promise.reject(new Error('no such model'));
      const source = new Source(wish, after);
      sources.push(source);
      return Promise.resolve(source.job);
    },
    onRemoved: (streamId) => removed.push(streamId),
  });
  return {
    set,
    sources,
    removed,
    stop: () => {
      stop.abort();
    },
  };
}

function wish(streamId: string, changes: Partial<Wish> = {}): Wish {
  return { streamId, paused: false, url: 'rtsp://camera', ...changes };
}

function statesOf(set: StreamSet<Wish>): Readonly<Record<string, StreamState>> {
  return Object.fromEntries(set.streams.map(({ wish: { streamId }, state }) => [streamId, state]));
}

it('a stream is added, paused, resumed, changed and removed; the others keep their object', async () => {
  const { set, sources, removed, stop } = createSet();
  await Promise.all([set.put(wish('a')), set.put(wish('b'))]);
  expect(statesOf(set)).toEqual({ a: 'starting', b: 'starting' });
  const run = set.run();
  const [a] = set.jobs;

  await set.put(wish('c'));
  expect(statesOf(set)).toEqual({ a: 'running', b: 'running', c: 'running' });
  await set.put(wish('b', { paused: true }));
  expect(statesOf(set)).toEqual({ a: 'running', b: 'paused', c: 'running' });
  await set.put(wish('b'));
  await set.put(wish('b', { url: 'rtsp://other' }));
  await set.remove('c');
  await set.remove('nobody');

  expect(statesOf(set)).toEqual({ a: 'running', b: 'running' });
  expect(set.jobs[0]).toBe(a);
  expect(removed).toEqual(['c']);
  expect(sources.map(({ wish: { streamId }, after, stoppedFor }) => [streamId, after, stoppedFor])).toEqual([
    ['a', undefined, undefined],
    ['b', undefined, 'paused'],
    ['c', undefined, 'removed'],
    ['b', 'paused', 'changed'],
    ['b', 'changed', undefined],
  ]);
  expect(
    sources.map(({ left }) => left),
    'who ended has left the engine',
  ).toEqual([false, true, true, true, false]);
  stop();
  const outcomes = await run;
  expect(outcomes.map(({ streamId, reason }) => `${streamId} ${reason}`)).toEqual([
    'a stopped',
    'b stopped',
    'c stopped',
  ]);
});

it('ends when all its streams have ended by themselves, not while one is paused', async () => {
  const { set, sources } = createSet();
  await Promise.all([set.put(wish('a')), set.put(wish('b')), set.put(wish('c', { paused: true }))]);
  let isOver = false;
  const run = set.run().finally(() => (isOver = true));
  sources[0]!.end();
  sources[1]!.end(new Error('the camera is gone'));
  await expect.poll(() => statesOf(set)).toEqual({ a: 'ended', b: 'failed', c: 'paused' });
  expect(isOver).toBe(false);

  await set.remove('c');

  expect((await run).map(({ streamId, reason }) => `${streamId} ${reason}`)).toEqual(['a ended', 'b failed']);
});

it('goes on without any stream, and where it keeps serving', async () => {
  for (const keepsServing of [false, true]) {
    const { set, sources, stop } = createSet(keepsServing);
    await set.put(wish('a'));
    let isOver = false;
    const run = set.run().finally(() => (isOver = true));
    if (keepsServing) sources[0]!.end();
    else await set.remove('a');
    await expect.poll(() => statesOf(set)).toEqual(keepsServing ? { a: 'ended' } : {});
    await sleep(0);
    expect(isOver).toBe(false);
    stop();
    await run;
  }
});

it('the newest of several wishes is brought about, one life after the other', async () => {
  const { set, sources, stop } = createSet();
  await set.put(wish('a'));
  const run = set.run();
  let release = (): void => undefined;
  sources[0]!.holdUp = new Promise((resolve) => (release = resolve));
  const changes = [
    set.put(wish('a', { paused: true })),
    set.remove('a'),
    set.put(wish('a', { url: 'rtsp://second' })),
    set.put(wish('a', { url: 'rtsp://third' })),
  ];
  expect(statesOf(set)).toEqual({ a: 'stopping' });
  release();
  await Promise.all(changes);

  expect(sources.map(({ wish: { url } }) => url)).toEqual(['rtsp://camera', 'rtsp://third']);
  expect(statesOf(set)).toEqual({ a: 'running' });
  stop();
  await run;
});

it('a stream that cannot be built is no part of the set, or has failed where it was one', async () => {
  const { set, stop } = createSet();
  await expect(set.put(wish('a', { url: 'impossible' }))).rejects.toThrow('no such model');
  expect(statesOf(set)).toEqual({});
  await set.put(wish('a'));
  const run = set.run();
  await expect(set.put(wish('a', { url: 'impossible' }))).rejects.toThrow('no such model');
  expect(statesOf(set)).toEqual({ a: 'failed' });
  stop();
  await run;
});

it('a failure that was mended by a change, or removed, is no failure of the run', async () => {
  const { set, sources, stop } = createSet(true);
  await Promise.all([set.put(wish('a')), set.put(wish('b'))]);
  const run = set.run();
  for (const source of sources) source.end(new Error('refused'));
  await expect.poll(() => statesOf(set)).toEqual({ a: 'failed', b: 'failed' });
  await set.put(wish('a', { url: 'rtsp://right' }));
  await set.remove('b');
  stop();

  expect((await run).map(({ streamId, reason, error }) => [streamId, reason, error])).toEqual([
    ['a', 'stopped', undefined],
    ['b', 'stopped', undefined],
  ]);
});
