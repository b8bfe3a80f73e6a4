import { once } from 'node:events';
import { expect, test } from 'vitest';
import { abortLater, endsWithin } from '../../src/core/abort.ts';
import { Resources } from '../../src/core/resources.ts';

function resource(dispose: () => Promise<void>): AsyncDisposable {
  return { [Symbol.asyncDispose]: dispose };
}

const hang = (): Promise<void> => new Promise(() => undefined);

test('resources are disposed in reverse order, each one even where another fails', async () => {
  const order: string[] = [];
  const resources = new Resources({ onDispose: (name) => order.push(name) });
  resources.add(
    resource(() => Promise.resolve()),
    'first',
  );
  resources.add(
    resource(() => Promise.reject(new Error('second fails'))),
    'second',
  );
  resources.add(
    resource(() => Promise.resolve()),
    'third',
  );

  await expect(resources[Symbol.asyncDispose]()).rejects.toThrow('second fails');
  expect(order).toEqual(['third', 'second', 'first']);
});

test('one that hangs is named and left behind', async () => {
  const [disposed, late]: [string[], string[]] = [[], []];
  const options = { disposeWithinMs: 5, onLate: (name: string) => late.push(name) };
  const resources = new Resources(options);
  resources.add(
    resource(() => {
      disposed.push('first');
      return Promise.resolve();
    }),
    'first',
  );
  resources.add(resource(hang), 'second');

  await resources[Symbol.asyncDispose]();
  expect(late).toEqual(['second']);
  expect(disposed).toEqual(['first']);
});

test('endsWithin tells an end from a deadline, and passes a failure on', async () => {
  expect(await endsWithin(Promise.resolve(), 60_000)).toBe(true);
  expect(await endsWithin(hang(), 1)).toBe(false);
  await expect(endsWithin(Promise.reject(new Error('broken')), 60_000)).rejects.toThrow('broken');
});

test('abortLater aborts after its signal, also one that was aborted before, and not after cancel', async () => {
  const wish = new AbortController();
  const later = abortLater(wish.signal, 1);
  const cancelled = abortLater(wish.signal, 1);
  expect(later.signal.aborted).toBe(false);
  wish.abort();
  cancelled.cancel();
  const again = abortLater(wish.signal, 1);

  for (const { signal } of [later, again]) {
    if (!signal.aborted) await once(signal, 'abort');
  }
  expect(cancelled.signal.aborted).toBe(false);
});
