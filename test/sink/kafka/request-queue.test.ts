import { createRequire } from 'node:module';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { mendRequestQueue } from '../../../src/sink/kafka/request-queue.ts';

interface Queue {
  readonly pending: unknown[];
  throttledUntil: number;
  checkPendingRequests(): void;
  destroy(): void;
}

const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as new (
  options: object,
) => Queue;

const queueOf = (): Queue =>
  new RequestQueue({
    instrumentationEmitter: new EventEmitter(),
    ...{ maxInFlightRequests: 1, requestTimeout: 1000, enforceRequestTimeout: false },
    ...{ clientId: 'test', broker: 'nowhere:9092', logger: { debug: () => undefined } },
    isConnected: () => true,
  });

beforeEach(() => {
  mendRequestQueue();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('an empty queue sets no timer', () => {
  const queue = queueOf();

  queue.checkPendingRequests();

  expect(vi.getTimerCount()).toBe(0);
});

test('a request that waits for the end of a throttle is sent after it, and not before', () => {
  const queue = queueOf();
  const send = vi.fn();
  queue.throttledUntil = Date.now() + 500;
  queue.pending.push({ send, expectResponse: true, correlationId: 1 });

  queue.checkPendingRequests();
  vi.advanceTimersByTime(499);
  expect(send).not.toHaveBeenCalled();
  vi.advanceTimersByTime(20);

  expect(send).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
});
