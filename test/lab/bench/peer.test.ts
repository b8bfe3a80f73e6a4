import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPeer, type Peer } from '../../../src/lab/bench/peer.ts';

const SCRIPT = fileURLToPath(new URL('../../fixtures/child/bench-peer.mjs', import.meta.url));

describe('the peer, a process that is asked line by line', () => {
  test('answers in order', async () => {
    const peer = await open();

    const answers = await Promise.all([1, 2, 3].map((n) => ask<{ n: number }>(peer, { do: 'echo', n })));

    expect(answers.map(({ n }) => n)).toEqual([1, 2, 3]);
  });

  test('its error is told, and the next request may succeed', async () => {
    const peer = await open();

    await expect(ask(peer, { do: 'fail' })).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: 'the peer failed: ValueError: no such thing',
    });
    await expect(ask(peer, { do: 'echo', n: 4 })).resolves.toEqual({ n: 4 });
  });

  test('where it dies, its last words are told', async () => {
    const peer = await open();

    await expect(ask(peer, { do: 'die' })).rejects.toThrow('ModuleNotFoundError: no torch');
  });

  test('an interruption ends the waiting', async () => {
    const peer = await open();
    const controller = new AbortController();
    const waiting = peer.ask({ do: 'sleep' }, controller.signal);
    controller.abort();

    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('a Python that does not exist is named with the remedy', async () => {
    const missing = { python: '/no/such/python', script: SCRIPT, tunedMalloc: false, env: {} };

    await expect(openPeer(missing)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

async function open(): Promise<Peer> {
  const peer = await openPeer({ python: execPath, script: SCRIPT, tunedMalloc: true, env: {} });
  onTestFinished(() => peer[Symbol.asyncDispose]());
  return peer;
}

function ask<T>(peer: Peer, request: Readonly<Record<string, unknown>>): Promise<T> {
  return peer.ask<T>(request, new AbortController().signal);
}
