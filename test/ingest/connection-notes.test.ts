import { expect, test } from 'vitest';
import { createConnectionNotes } from '../../src/ingest/connection-notes.ts';

function listen(kind: 'live' | 'file') {
  const told: string[] = [];
  let nowMs = 0;
  const notes = createConnectionNotes({ kind, now: () => nowMs }, (note) => told.push(note));
  return { notes, told, wait: (ms: number) => (nowMs += ms) };
}

test('a raw stream is named when it is opened, once', () => {
  const { notes, told } = listen('file');
  notes.input({ format: 'h264' });
  notes.input({ codec: 'h264' });
  for (let n = 0; n < 3; n += 1) notes.frame();
  notes.end();

  expect(told).toEqual([expect.stringMatching(/^a raw stream without times.*put it into a container/)]);
});

test('a still image is named at its end, and a row of images is none', () => {
  for (const [frames, notices] of [
    [1, 1],
    [2, 0],
    [0, 0],
  ] as const) {
    const { notes, told } = listen('file');
    notes.input({ format: 'png_pipe' });
    for (let n = 0; n < frames; n += 1) notes.frame();
    notes.end();

    expect(told.length).toBe(notices);
  }
});

test('a late first frame of a live source is reported once, with its remedy', () => {
  const { notes, told, wait } = listen('live');
  notes.input({ format: 'concat' });
  wait(6200);
  notes.frame();
  wait(9000);
  notes.frame();

  expect(told).toEqual([expect.stringMatching(/first frame came 6\.2 s .*one key frame every 1 to 2 s/)]);
});

test('nothing is said of what is usual', () => {
  const { notes, told, wait } = listen('live');
  notes.input({ format: 'concat' });
  notes.input({ codec: 'h264' });
  wait(3900);
  notes.frame();
  notes.end();

  expect(told).toEqual([]);
});
