import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createStreamJob } from '../../src/pipeline/stream-job.ts';
import { streamSettingsOf } from '../../src/app/stream-settings.ts';
import { configFromSources } from '../../src/config/index.ts';
import { sleep } from '../../src/core/abort.ts';
import { silentLogger, type Logger } from '../../src/core/logger.ts';
import type { ClipStats, PublishedRecord } from '../../src/core/records.ts';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import { EngineScheduler } from '../../src/inference/scheduler/engine-scheduler.ts';
import { createUntrainedModel } from '../../src/inference/weights/untrained-model.ts';
import { createComputeBudget } from '../../src/pipeline/budget/compute-budget.ts';
import type { StreamOutcome } from '../../src/pipeline/types.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { createNullEngine } from '../support/own-engines.ts';
import { runJobs } from '../support/run-jobs.ts';

const FRAMES = 16;
const FPS = 16;
const DELTA = 0.1;
const ffmpegPath = process.env['FFMPEG_PATH'] ?? 'ffmpeg';
const model = createUntrainedModel({
  network: {
    ...{ variant: 's3d', frames: FRAMES, height: 32, width: 32, classes: 2, widthMultiplier: 0.125 },
    sgs: { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 1 }, boundary: 'as_is' },
  },
  seed: 1,
});

let folder: string;
let video: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'many-streams-'));
  video = join(folder, 'busy.mp4');
  const source = `testsrc2=size=160x120:rate=${FPS}:duration=5,format=yuv420p`;
  await ffmpeg('-f', 'lavfi', '-i', source, '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', video);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Run {
  readonly outcomes: readonly StreamOutcome[];
  readonly clips: readonly ClipStats[];
  /** What was logged of the budget. */
  readonly changes: readonly string[];
}

/** Real sources and the real pipeline before an engine that takes `stepMs` for each kept step. */
async function run(
  sources: readonly string[],
  { stepMs, realtime, queueClips = 4 }: { stepMs: number; realtime: boolean; queueClips?: number },
): Promise<Run> {
  const plain = createNullEngine(model);
  const engine: InferenceEngine = {
    ...plain,
    inferBatch: (batch) =>
      batch.map(async ({ clip, ...options }) => {
        const result = await plain.infer(clip, options);
        const upperMs = stepMs * result.compute.keptSteps;
        await sleep(upperMs, options.signal);
        return { ...result, compute: { ...result.compute, upperMs } };
      }),
  };
  await using scheduler = new EngineScheduler([engine]);
  const records: PublishedRecord[] = [];
  const changes: string[] = [];
  const logger: Logger = { ...silentLogger, info: (_, message) => changes.push(message) };
  const budget = createComputeBudget({ p95LatencyMs: 1000, maxDeltaScale: 4 }, { engines: 1, logger });
  const { streams } = configFromSources(sources, {
    env: {},
    overrides: {
      sampler: { kind: 'ordered', width: DELTA },
      defaults: { realtime, queue_clips: queueClips, window: { fps: FPS, stride: 4 } },
    },
  });
  const jobs = streams.map((stream) =>
    createStreamJob(streamSettingsOf(stream, scheduler.info, ffmpegPath), {
      scheduler,
      budget,
      pipeline: { instance: 'test', version: '0' },
      log: {
        append: (appended) => {
          records.push(...appended);
          return Promise.resolve();
        },
      },
      recordStatus: () => undefined,
      logger: silentLogger,
    }),
  );
  const ended = new AbortController();
  const budgeting = budget.run(ended.signal);
  const outcomes = await runJobs(jobs);
  ended.abort();
  await budgeting;
  const clips = records.flatMap(({ type, payload }) => (type === 'clip.stats' ? [payload] : []));
  return { outcomes, clips, changes: changes.filter((line) => line.startsWith('compute budget')) };
}

function deltasOf({ clips }: Run): readonly number[] {
  return clips.map(({ compute }) => compute.delta ?? NaN);
}

it.concurrent(
  'an overload raises δ before a clip is dropped, receipts say so, and no line is logged for a clip',
  async () => {
    // The queue holds what comes at once after the machine was busy elsewhere for some seconds.
    const overloaded = await run([video, video], { stepMs: 25, realtime: true, queueClips: 16 });

    const deltas = deltasOf(overloaded);
    expect(deltas[0]).toBe(DELTA);
    expect(Math.max(...deltas)).toBeGreaterThan(DELTA);
    expect(Math.max(...deltas)).toBeLessThanOrEqual(4 * DELTA + 1e-6);
    // A slow machine may have to drop clips, but never before δ has reached its bound.
    if (overloaded.outcomes.some(({ totals }) => totals.clipsDropped > 0))
      expect(Math.max(...deltas)).toBeCloseTo(4 * DELTA, 6);
    expect(overloaded.changes[0]).toBe('compute budget: δ raised');
    expect(overloaded.changes.length).toBeLessThan(overloaded.clips.length / 2);
  },
);

it.concurrent('what the largest δ cannot hold is dropped, counted, and shared by all streams', async () => {
  const drowned = await run([video, video, video], { stepMs: 70, realtime: true });

  expect(Math.max(...deltasOf(drowned))).toBeCloseTo(4 * DELTA, 6);
  for (const { reason, totals } of drowned.outcomes) {
    expect(reason).toBe('ended');
    expect(totals.clipsDropped).toBeGreaterThan(0);
    expect(totals.clips).toBeGreaterThan(0);
  }
  // Between the first clip of the last stream and the last clip of the first
  // one, all three had something to do.
  const ids = drowned.clips.map(({ stream_id: id }) => id);
  const streams = [...new Set(ids)];
  const from = Math.max(...streams.map((id) => ids.indexOf(id)));
  const to = Math.min(...streams.map((id) => ids.lastIndexOf(id)));
  const counts = streams.map((id) => ids.slice(from, to + 1).filter((other) => other === id).length);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(4);
});

it.concurrent(
  'a file that is read as fast as it can be keeps its δ and every clip, however slow the engine is',
  async () => {
    const { outcomes, clips, changes } = await run([video], { stepMs: 10, realtime: false });

    expect(new Set(clips.map(({ compute }) => compute.delta))).toEqual(new Set([DELTA]));
    expect(outcomes[0]?.totals).toMatchObject({ clips: clips.length, clipsDropped: 0 });
    expect(clips.length).toBeGreaterThan(15);
    expect(changes).toEqual([]);
  },
);

it.concurrent('a stream that fails leaves the others whole', async () => {
  const missing = join(folder, 'missing.mp4');
  const { outcomes, clips } = await run([video, missing, video], { stepMs: 1, realtime: false });

  expect(outcomes.map(({ reason }) => reason)).toEqual(['ended', 'failed', 'ended']);
  expect(outcomes[1]?.error?.code).toBe('INPUT_INVALID');
  const perStream = outcomes.map(
    ({ streamId }) => clips.filter(({ stream_id: id }) => id === streamId).length,
  );
  expect(perStream[0]).toBeGreaterThan(15);
  expect(perStream[2]).toBe(perStream[0]);
});
