import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createShutdown } from '../../src/cli/shutdown.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function host(exitCode?: number, hasTerminal = false) {
  const exits: number[] = [];
  let text = '';
  const stderr = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const shutdown = createShutdown({
    ...{ stderr, hasTerminal },
    exit: (code) => exits.push(code),
    exitCode: () => exitCode,
    openResources: () => ['TCPSocketWrap', 'Timeout'],
  });
  return { shutdown, exits, text: () => text };
}

test('the first signal asks, the second one ends at once', () => {
  const { shutdown, exits } = host();
  shutdown.onSignal('SIGHUP');
  expect(shutdown.signal.aborted).toBe(true);
  expect(exits).toEqual([]);

  shutdown.onSignal('SIGTERM');
  expect(exits).toEqual([130]);
});

test('a SIGHUP that is taken ends nothing, unless it says that the terminal is gone', () => {
  for (const hasTerminal of [false, true]) {
    const { shutdown } = host(undefined, hasTerminal);
    let taken = 0;
    shutdown.onHangup(() => (taken += 1));
    shutdown.onSignal('SIGHUP');
    shutdown.onSignal('SIGHUP');
    expect([taken, shutdown.signal.aborted]).toEqual(hasTerminal ? [0, true] : [2, false]);
  }
});

test('what does not end within 14 s of a signal is named, and the process exits', () => {
  const { shutdown, exits, text } = host();
  shutdown.onPhase('ending the streams');
  vi.advanceTimersByTime(60_000);
  expect(exits).toEqual([]);

  shutdown.onSignal('SIGTERM');
  vi.advanceTimersByTime(13_999);
  expect(exits).toEqual([]);
  shutdown.onPhase('closing the sinks');
  vi.advanceTimersByTime(1);
  expect(exits).toEqual([1]);
  expect(text()).toBe(
    'error: not ended 14 s after SIGTERM: closing the sinks takes too long; exiting without it\n',
  );
});

test('a command that has ended ends the process with its own code, whatever was left open', () => {
  const { shutdown, exits, text } = host(3);
  shutdown.onFinished();
  vi.advanceTimersByTime(2000);

  expect(exits).toEqual([3]);
  expect(text()).toContain('TCPSocketWrap, Timeout');
});

test('after the command has ended, the deadline of the signal counts no longer', () => {
  const { shutdown, exits, text } = host();
  shutdown.onSignal('SIGTERM');
  shutdown.onFinished();
  vi.advanceTimersByTime(60_000);

  expect(exits).toEqual([0]);
  expect(text()).not.toContain('SIGTERM');
});
