import { expect, test } from 'vitest';
import { Provenance } from '../../../src/sink/verify/provenance.ts';
import { clipStats } from '../../support/records.ts';

/** A journal whose records have these offsets and times. */
function provenanceOf(
  records: readonly (readonly [offset: number, recordedAtMs: number])[],
  isCurrent = true,
): Provenance {
  const provenance = new Provenance(isCurrent);
  for (const [offset, recordedAtMs] of records)
    provenance.add({ offset, recordedAtMs, record: clipStats({ clip_seq: offset }) });
  return provenance;
}

const OURS = { instance: 'test', streamId: 'cam-1' };

test('a record of another instance or stream is never ours', () => {
  const provenance = provenanceOf([[0, 1000]]);

  expect(provenance.claims({ ...OURS, instance: 'other', recordedAtMs: 1000 })).toBe(false);
  expect(provenance.claims({ ...OURS, streamId: 'cam-2', recordedAtMs: 1000 })).toBe(false);
  expect(provenance.claims({ ...OURS, recordedAtMs: 1000 })).toBe(true);
});

test("a file's record is ours where the journal holds its run, or where it names none", () => {
  const provenance = new Provenance(true);
  provenance.add({ offset: 0, recordedAtMs: 1000, record: clipStats({ run_id: 'run-1' }) });

  expect(provenance.claims({ ...OURS, runId: 'run-1', recordedAtMs: 1000 })).toBe(true);
  expect(provenance.claims({ ...OURS, runId: 'run-2', recordedAtMs: 1000 })).toBe(false);
  expect(provenance.claims({ ...OURS, recordedAtMs: 1000 })).toBe(true);
});

test.each([
  { what: 'whole: from its first record on', from: 0, claimed: [false, true, true, true] },
  {
    what: 'cut: after its first record, whose millisecond it may share',
    from: 7,
    claimed: [false, false, true, true],
  },
])('a journal that is $what', ({ from, claimed }) => {
  const provenance = provenanceOf([
    [from, 1000],
    [from + 1, 2000],
  ]);

  expect([999, 1000, 1500, 2001].map((recordedAtMs) => provenance.claims({ ...OURS, recordedAtMs }))).toEqual(
    claimed,
  );
});

test('after a journal that was put aside, others go on', () => {
  const provenance = provenanceOf([[0, 1000]], false);

  expect([1000, 1001].map((recordedAtMs) => provenance.claims({ ...OURS, recordedAtMs }))).toEqual([
    true,
    false,
  ]);
});

test('a record may be one of those that a damaged journal has lost, and they are counted', () => {
  const provenance = provenanceOf([
    [0, 1000],
    [5, 2000],
    [6, 3000],
  ]);

  expect(provenance.lost).toBe(4);
  expect([1500, 2500].map((recordedAtMs) => provenance.claims({ ...OURS, recordedAtMs }))).toEqual([
    false,
    true,
  ]);
});

test('a record in our name that does not say when it was journalled is claimed to be ours', () => {
  expect(provenanceOf([[0, 1000]]).claims({ ...OURS, recordedAtMs: NaN })).toBe(true);
});
