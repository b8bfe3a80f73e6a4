import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { supersedes as clientSupersedes } from '../../src/client/index.ts';
import { recordIdOf, supersedes, type ActionEvent, type EndReason } from '../../src/core/records.ts';
import { actionEvent, clipStats } from '../support/records.ts';

const RUN = 'd3a1f1b6-0000-5000-8000-000000000001';

/** Of a file: ended where a reason is given, else open. */
function event(sequence: number, reason?: EndReason, durationMs = 1000): ActionEvent {
  const startedAt = '2026-11-22T10:00:00.000Z';
  const state = reason === undefined ? 'updated' : 'ended';
  const open = { ...actionEvent({ sequence, run_id: RUN, started_at: startedAt }).payload, state } as const;
  if (reason === undefined) return { ...open, duration_ms: durationMs };
  const endedAt = new Date(Date.parse(startedAt) + durationMs).toISOString();
  return { ...open, end_reason: reason, ended_at: endedAt, duration_ms: durationMs };
}

const live = (sequence: number, reason?: EndReason): ActionEvent =>
  without('run_id', event(sequence, reason));

/** Of a live stream in a fleet. */
const owned = (writerEpoch: number, sequence: number, reason?: EndReason): ActionEvent => ({
  ...live(sequence, reason),
  writer_epoch: writerEpoch,
});

function without(key: keyof ActionEvent, event: ActionEvent): ActionEvent {
  return JSON.parse(JSON.stringify({ ...event, [key]: undefined })) as ActionEvent;
}

describe('which event of an episode is the truth', () => {
  test.each([
    ['the higher sequence', event(2), event(1), true],
    ['not a repetition', event(1, 'below_threshold'), event(1, 'below_threshold'), false],
    ['an interruption of what is open', event(2, 'shutdown'), event(1), true],
    ['the true end in place of an interruption', event(2, 'end_of_stream'), event(2, 'shutdown'), true],
    ['a later true event too', event(3), event(2, 'restart'), true],
    ['no true event from before the interruption', event(1), event(2, 'restart'), false],
    ['no interruption in place of a true end', event(2, 'shutdown'), event(2, 'max_duration'), false],
    ['not even of a higher sequence', event(3, 'shutdown'), event(2, 'max_duration'), false],
    ['the longer of two interruptions', event(2, 'shutdown', 2000), event(2, 'restart', 1500), true],
    ['not the shorter', event(2, 'restart', 1500), event(2, 'shutdown', 2000), false],
    ['of a live stream only the higher sequence', live(2, 'below_threshold'), live(2, 'shutdown'), false],
    ['of a fleet the later owner, whatever the sequence', owned(2, 1), owned(1, 9), true],
    ['never an earlier owner', owned(1, 9), owned(2, 1), false],
    ['not even against an open episode', owned(1, 9, 'moved'), owned(2, 0), false],
    ['of one owner the higher sequence', owned(2, 1), owned(2, 0), true],
    ['an owner in a fleet, of what was written before there was one', owned(1, 0), live(4), true],
  ])('%s', (_, next, held, wanted) => {
    expect(supersedes(next, held)).toBe(wanted);
    expect(clientSupersedes(next, held)).toBe(wanted);
  });

  test('a paused owner that wakes up changes nothing of what the next owner ended', () => {
    const first = [owned(4, 0), owned(4, 1), owned(4, 2), owned(4, 3, 'below_threshold')];
    const moved = owned(7, 2, 'moved');
    fc.assert(
      fc.property(fc.shuffledSubarray([...first, moved], { minLength: 5 }), (delivered) => {
        expect(delivered.reduce((a, b) => (supersedes(b, a) ? b : a))).toBe(moved);
      }),
    );
  });

  test('nothing supersedes itself, and no two events supersede each other', () => {
    const reasons = [undefined, 'below_threshold', 'end_of_stream', 'shutdown', 'restart'] as const;
    const files = fc
      .tuple(fc.nat(3), fc.constantFrom(...reasons), fc.nat(3))
      .map(([sequence, reason, seconds]) => event(sequence, reason, 1000 * seconds));
    const fleets = fc
      .tuple(fc.nat(3), fc.nat(3), fc.constantFrom(...reasons))
      .map(([epoch, sequence, reason]) => owned(epoch, sequence, reason));
    const events = fc.oneof(files, fleets);
    fc.assert(
      fc.property(events, events, (a, b) => {
        expect(clientSupersedes(a, b)).toBe(supersedes(a, b));
        expect(supersedes(a, a)).toBe(false);
        expect(supersedes(a, b) && supersedes(b, a)).toBe(false);
      }),
    );
  });

  test('a rerun of an interrupted file ends with the true end, in whatever order and however often both are delivered', () => {
    const first = [event(0), event(1), event(2, 'shutdown', 1200)];
    const rerun = [event(0), event(1), event(2), event(3, 'end_of_stream', 5000)];
    fc.assert(
      fc.property(fc.shuffledSubarray([...first, ...rerun], { minLength: 7 }), (delivered) => {
        const held = delivered.reduce((a, b) => (supersedes(b, a) ? b : a));
        expect(held.end_reason).toBe('end_of_stream');
      }),
    );
  });
});

describe('the identity of a record', () => {
  const idOf = (payload: ActionEvent): string => recordIdOf({ type: 'action.event', payload });

  test('of a provisional end is another one than that of the true event', () => {
    expect(idOf(event(2, 'shutdown', 1200))).toBe(`${event(2).episode_id}:2:shutdown:1200`);
    expect(idOf(event(2, 'restart', 1100))).not.toBe(idOf(event(2, 'restart', 1200)));
    expect(idOf(event(2, 'end_of_stream'))).toBe(`${event(2).episode_id}:2`);
  });

  test('of a live stream is episode and sequence, however it ends', () => {
    expect(idOf(live(2, 'shutdown'))).toBe(`${event(2).episode_id}:2`);
  });

  test('of a clip of a file holds the run', () => {
    const ids = [clipStats(), clipStats({ run_id: RUN })].map(recordIdOf);

    expect(ids[1]).toBe(`${ids[0]}:${RUN}`);
  });
});
