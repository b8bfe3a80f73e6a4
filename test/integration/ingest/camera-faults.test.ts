import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FaultLimits } from '../../../src/ingest/fault-watch.ts';
import { ROOT } from '../../support/cli.ts';
import { readClips } from '../../support/clip-reader.ts';
import { ffmpeg } from '../../support/lavfi.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { everyFrame } from './plain-video.ts';

const SECOND = 1000;
/** As by default, but sooner. */
const SOON: FaultLimits = {
  ...{ afterMs: 5 * SECOND, frozenAfterMs: 10 * SECOND, clearAfterMs: 2 * SECOND },
  ...{ blackBelow: 0.1, coveredBelow: 0.02, defocusedBelow: 0.35 },
};

const DATA = process.env['ACTIONSTREAM_DATA'] ?? path.join(ROOT, '..', 'shared', 'data');
const REAL = [
  ...['bottle-detection.mp4', 'highway.mpg', 'one-by-one-person-detection.mp4'],
  ...['traffic_camera_vfr.mp4', 'video02.avi'],
].map((name) => path.join(DATA, 'cctv', name));
const absent = !existsSync(path.dirname(REAL[0] ?? ''));
if (absent)
  process.stderr.write(
    `left out: test/integration/ingest/camera-faults.test.ts (real footage): nothing at ${DATA}; ACTIONSTREAM_DATA names another place\n`,
  );

/** A filter graph of lavfi as H.264 of a camera: ten frames a second, a key frame every four. */
async function filmed(graph: string, ...encoding: readonly string[]): Promise<string> {
  const file = path.join(await temporaryDirectory(), 'camera.mp4');
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '40', '-pix_fmt', 'yuv420p'];
  await ffmpeg('-f', 'lavfi', '-i', graph, ...codec, ...encoding, file);
  return file;
}

/** States of the stream and their reasons, at the size of the shipped model. */
async function statesOf(url: string, faults: FaultLimits = SOON): Promise<readonly string[]> {
  const reader = readClips({ ...everyFrame, url, faults, width: 112, height: 112 });
  await reader.done;
  return reader.transitions.map(({ state, reason }) => `${state} ${reason}`);
}

const WELL = ['connecting start', 'up first_frame', 'ended eof'];
const SCENE = 'testsrc2=size=320x240:rate=10';
const noise = (strength: number): string => `noise=alls=${strength}:allf=t`;
const STILL = `${SCENE}:duration=0.1,loop=loop=-1:size=1,setpts=N/10/TB,trim=duration=90`;

describe('a camera whose frames are of no use', () => {
  it('each kind of fault is reported, and so is its end', async () => {
    const during = (from: number, to: number): string => `enable='between(t,${from},${to})'`;
    const file = await filmed(
      [
        `${SCENE}:duration=104`,
        `boxblur=lr=10:lp=2:${during(40, 52)}`,
        `drawbox=c=black:t=fill:${during(60, 72)}`,
        `drawbox=c=0x6a4a3a:t=fill:${during(80, 92)}`,
        noise(8),
        // The 960th frame 200 times over.
        'loop=loop=200:size=1:start=960',
      ].join(','),
    );

    expect(await statesOf(file)).toEqual([
      ...['connecting start', 'up first_frame'],
      ...['faulty defocused', 'up fault_over', 'faulty black', 'up fault_over'],
      ...['faulty covered', 'up fault_over', 'faulty frozen', 'up fault_over'],
      'ended eof',
    ]);
  });

  it('is frozen where the same frame is encoded over and over, at any quality', async () => {
    const frozen = ['connecting start', 'up first_frame', 'faulty frozen', 'ended eof'];
    expect(await statesOf(await filmed(STILL))).toEqual(frozen);
    expect(await statesOf(await filmed(STILL, '-b:v', '300k'))).toEqual(frozen);
  });

  it('that is frozen for less than its time is not', async () => {
    expect(await statesOf(await filmed(STILL), { ...SOON, frozenAfterMs: 100 * SECOND })).toEqual(WELL);
  });
});

describe('a camera is well', () => {
  it.each([
    ['a still room with the noise of a sensor', 6, []],
    ['the same at a low rate', 6, ['-b:v', '300k']],
    ['a dark still room', 10, []],
    ['a still room at full size', 4, []],
  ] as const)('that sees %s', async (what, strength, encoding) => {
    const light = what.includes('dark') ? ',eq=brightness=-0.25:contrast=0.5' : '';
    const still = what.includes('full size') ? STILL.replace('320x240', '1280x720') : STILL;
    expect(await statesOf(await filmed(`${still}${light},${noise(strength)}`, ...encoding))).toEqual(WELL);
  });

  it.skipIf(absent).each(REAL)('that filmed %s', async (file) => {
    expect(await statesOf(file)).toEqual(WELL);
  });
});
