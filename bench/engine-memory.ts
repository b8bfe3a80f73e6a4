import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { silentLogger } from '../src/core/logger.ts';
import type { EngineKind, Provider } from '../src/inference/engine-choice.ts';
import type { PixelClip } from '../src/inference/engine.ts';
import { createRandomStream } from '../src/inference/weights/random-stream.ts';
import { createWorkerEngine } from '../src/inference/worker/worker-engine.ts';
import { builtFile } from '../test/support/built.ts';
import { descendantsOf } from '../test/support/processes.ts';

/**
 * Memory of an engine's process, and of ours, while many clips of changing
 * content pass (so that plans differ):
 *
 *     npx tsx bench/engine-memory.ts [--engine onnx] [--provider cpu] [--clips 10000] [--streams 4]
 *
 * With --streams the clips overlap by three quarters and share steps; each
 * stream ends after some hundred and another begins.
 */
const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'onnx' },
    provider: { type: 'string' },
    clips: { type: 'string', default: '10000' },
    streams: { type: 'string', default: '0' },
  },
});
const SIZE = { frames: 16, height: 24, width: 24 } as const;
const SGS = {
  after: 'Conv_2b',
  embedding: { kind: 'pooled', grid: 2 },
  boundary: 'nearest_complete',
} as const;
const network = { ...SIZE, variant: 's3d-g', classes: 5, widthMultiplier: 0.07, sgs: SGS };
const FRAME_BYTES = SIZE.height * SIZE.width * 3;
const STRIDE = 4;
const CLIPS_A_STREAM = 100;

await using engine = await createWorkerEngine({
  entryUrl: builtFile('inference/worker/entry.js'),
  spec: {
    engine: values.engine as EngineKind,
    model: { kind: 'untrained', network, seed: 5 },
    threads: 1,
    ...(values.provider !== undefined && { provider: values.provider as Provider }),
  },
  logger: silentLogger,
});
const [child] = (await descendantsOf(process.pid)).filter(({ command }) => command.includes('entry.js'));
const random = createRandomStream(7, 'pixels');
const noise = Uint8Array.from({ length: 4 * SIZE.frames * FRAME_BYTES }, () =>
  Math.max(0, Math.min(255, 128 + 50 * random.normal())),
);

const streams = Number(values.streams);
const kind = streams > 0 ? `${streams} streams` : 'clips by themselves';
console.log(`${values.engine} on ${engine.info.device}, ${kind}: MB of its process, of ours`);
const clips = Number(values.clips);
let reused = 0;
for (let n = 0; n < clips; n++) {
  const sampler = { kind: 'ordered', width: 0.05 * (n % 9), distance: 'l2' } as const;
  const { compute } = await engine.infer(streams > 0 ? clipOfStream(n) : clipAlone(n), { sampler });
  reused += compute.reusedSteps;
  if (streams > 0 && Math.floor(n / streams) % CLIPS_A_STREAM === CLIPS_A_STREAM - 1) {
    engine.closeStream?.(idOf(n));
  }
  if ([10, 100, 1000, 2000, 5000].includes(n + 1) || n + 1 === clips)
    console.log(`after ${n + 1} clips: ${rssOf(child!.pid)}, ${rssOf(process.pid)}`);
}
if (streams > 0) console.log(`${reused} steps reused`);

function clipAlone(n: number): PixelClip {
  const bytes = SIZE.frames * FRAME_BYTES;
  const from = (n * 97) % (noise.length - bytes);
  return { clipId: `clip-${n}`, ...SIZE, data: noise.subarray(from, from + bytes) };
}

/** The streams in turn. */
function clipOfStream(n: number): PixelClip {
  const { contextFrames = 0 } = engine.info.reuse ?? {};
  const firstFrame = STRIDE * (Math.floor(n / streams) % CLIPS_A_STREAM);
  const data = pixels(n % streams, firstFrame, firstFrame + SIZE.frames);
  const before = pixels(n % streams, Math.max(0, firstFrame - contextFrames), firstFrame);
  return { clipId: `clip-${n}`, ...SIZE, data, stream: { id: idOf(n), segment: 0, firstFrame, before } };
}

/** Frames of a stream: noise, a few bytes on in each. */
function pixels(stream: number, from: number, to: number): Uint8Array {
  const frames = Array.from({ length: to - from }, (_, k) => {
    const at = ((from + k) * 997 + stream * 7919) % (noise.length - FRAME_BYTES);
    return noise.subarray(at, at + FRAME_BYTES);
  });
  return new Uint8Array(Buffer.concat(frames));
}

function idOf(n: number): string {
  return `${n % streams}/${Math.floor(n / streams / CLIPS_A_STREAM)}`;
}

function rssOf(pid: number): string {
  const kilobytes = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
  return (kilobytes / 1024).toFixed(0);
}
