import path from 'node:path';
import { expect, it } from 'vitest';
import type { StreamOptions } from '../../../src/ingest/types.ts';
import { readClips } from '../../support/clip-reader.ts';
import { ffmpeg } from '../../support/lavfi.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { everyFrame } from './plain-video.ts';

const SIZE = 48;

/** Two seconds of a blue wall with a red door, which takes [0.4, 0.6] across and [0.5, 1] down. */
async function door(): Promise<string> {
  const file = path.join(await temporaryDirectory(), 'door.mp4');
  const wall = 'color=0x405060:size=320x180:rate=10:duration=2';
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `${wall},drawbox=x=128:y=90:w=64:h=90:color=red:t=fill,format=yuv420p`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '10', file],
  );
  return file;
}

/** Share of red pixels over all frames, and of blank ones. */
async function seen(options: Partial<StreamOptions> & Pick<StreamOptions, 'url'>) {
  const reader = readClips({ ...everyFrame, width: SIZE, height: SIZE, ...options });
  await reader.done;
  const frames = reader.clips.flatMap((clip) => clip.frames);
  const pixels = frames.flatMap(({ data }) =>
    Array.from({ length: SIZE * SIZE }, (_, n) => [data[3 * n] ?? 0, data[3 * n + 1] ?? 0]),
  );
  const share = (holds: (pixel: readonly number[]) => boolean) => pixels.filter(holds).length / pixels.length;
  return {
    red: share(([red = 0, green = 0]) => red > green + 40),
    blank: share(([red, green]) => red === 128 && green === 128),
  };
}

const box = ([left, top, right, bottom]: readonly [number, number, number, number]) => [
  ...[
    { x: left, y: top },
    { x: right, y: top },
  ],
  ...[
    { x: right, y: bottom },
    { x: left, y: bottom },
  ],
];

it.each([
  ['stretched', { fit: 'stretch' }],
  ['cropped', { fit: 'crop' }],
  ['cropped and enlarged', { fit: 'crop', scale: 1.25 }],
] as const)('of a real video, %s, a mask hides what it covers and nothing else', async (_, fit) => {
  const url = await door();
  const plain = await seen({ url, ...fit });
  // A pixel more each way: scaling and the codec blur the edge.
  const hidden = await seen({ url, ...fit, masks: [box([0.38, 0.46, 0.62, 1])] });

  expect(plain.red).toBeGreaterThan(0.08);
  expect(hidden.red).toBe(0);
  expect(hidden.blank).toBeGreaterThan(plain.red);
  expect(hidden.blank).toBeLessThan(1.6 * plain.red);
});

it('of a real video only an included zone is seen', async () => {
  const url = await door();
  const zones = [{ name: 'door', kind: 'include', points: box([0.4, 0.5, 0.6, 1]) }] as const;
  const { red, blank } = await seen({ url, fit: 'stretch', zones });

  expect(red).toBeGreaterThan(0.08);
  expect(red + blank).toBeGreaterThan(0.98);
});
