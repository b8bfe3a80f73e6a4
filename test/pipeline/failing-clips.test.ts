import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStreamJob } from '../../src/pipeline/stream-job.ts';
import { streamSettingsOf } from '../../src/app/stream-settings.ts';
import { configFromSources } from '../../src/config/index.ts';
import { ActionstreamError, type ErrorCode } from '../../src/core/errors.ts';
import type { StreamStatus } from '../../src/core/records.ts';
import { silentLogger, type Logger } from '../../src/core/logger.ts';
import { EngineScheduler } from '../../src/inference/scheduler/engine-scheduler.ts';
import { createUntrainedModel } from '../../src/inference/weights/untrained-model.ts';
import type { StreamOutcome } from '../../src/pipeline/types.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { createNullEngine } from '../support/own-engines.ts';
import { runJobs } from '../support/run-jobs.ts';

const ffmpegPath = process.env['FFMPEG_PATH'] ?? 'ffmpeg';
const model = createUntrainedModel({
  network: { variant: 's3d', frames: 4, height: 32, width: 32, classes: 2, widthMultiplier: 0.125 },
  seed: 1,
});
const CLIPS = 15;

let folder: string;
let video: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'failing-clips-'));
  video = join(folder, 'busy.mp4');
  const source = `testsrc2=size=64x64:rate=16:duration=${CLIPS / 4},format=yuv420p`;
  await ffmpeg('-f', 'lavfi', '-i', source, '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', video);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('a file', () => {
  it.each(['SAMPLER_INVALID', 'INPUT_INVALID', 'INTERNAL'] as const)(
    'passes over one clip that fails with %s, and counts it',
    async (code) => {
      const { outcome, warned } = await run({ realtime: false }, failingFrom({ first: 5, calls: 1, code }));

      expect(outcome).toMatchObject({ reason: 'ended', totals: { clips: CLIPS - 1, clipsFailed: 1 } });
      expect(warned).toEqual([expect.stringContaining(code)]);
    },
  );

  it('has its clip tried again where another try may succeed', async () => {
    const { outcome } = await run(
      { realtime: false },
      failingFrom({ first: 5, calls: 2, code: 'ENGINE_FAILED' }),
    );

    expect(outcome).toMatchObject({ reason: 'ended', totals: { clips: CLIPS, clipsFailed: 0 } });
  });

  it('ends with an error after five clips in a row, and says from when on nothing is scored', async () => {
    const { outcome } = await run(
      { realtime: false },
      failingFrom({ first: 4, calls: Infinity, code: 'SAMPLER_INVALID' }),
    );

    expect(outcome).toMatchObject({
      reason: 'failed',
      totals: { clips: 4, clipsFailed: 5 },
      error: { code: 'SAMPLER_INVALID', message: expect.stringContaining('from 1.000 s') as string },
    });
  });
});

it.each(['ENGINE_FAILED', 'SAMPLER_INVALID', 'MODEL_INVALID'] as const)(
  'a live stream goes on through any number of %s',
  async (code) => {
    const { outcome, statuses } = await run({ realtime: true }, failingFrom({ first: 1, calls: 10, code }));

    expect(outcome.reason).toBe('ended');
    expect(outcome.totals.clipsFailed).toBe(10);
    expect(outcome.totals.clips).toBeGreaterThanOrEqual(1);
    // The ten make one gap, and what the status topic keeps is the state.
    expect(statuses.filter(({ state }) => state === 'gap')).toMatchObject([
      { reason: 'failed', gap: { from: '1970-01-01T00:00:00.250Z', to: '1970-01-01T00:00:02.750Z' } },
    ]);
    expect(statuses.at(-1)?.state).toBe('ended');
  },
);

interface Failure {
  readonly first: number;
  readonly calls: number;
  readonly code: ErrorCode;
}

/** Throws in the calls `first` … `first + calls - 1`. */
function failingFrom({ first, calls, code }: Failure): () => void {
  let call = 0;
  return () => {
    const n = call++;
    if (n >= first && n < first + calls) throw new ActionstreamError(code, 'made to fail');
  };
}

async function run(
  { realtime }: { readonly realtime: boolean },
  fail: () => void,
): Promise<{
  readonly outcome: StreamOutcome;
  readonly warned: readonly string[];
  readonly statuses: readonly StreamStatus[];
}> {
  const plain = createNullEngine(model);
  await using scheduler = new EngineScheduler([
    {
      ...plain,
      inferBatch: (batch) =>
        batch.map(async ({ clip, ...options }) => {
          fail();
          return plain.infer(clip, options);
        }),
    },
  ]);
  const { streams } = configFromSources([video], {
    env: {},
    overrides: { defaults: { realtime, queue_clips: 32, window: { fps: 16, stride: 4 } } },
  });
  const warned: string[] = [];
  const statuses: StreamStatus[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (fields) => warned.push((fields as { readonly last_cause: string }).last_cause),
  };
  const job = createStreamJob(streamSettingsOf(streams[0]!, scheduler.info, ffmpegPath), {
    scheduler,
    pipeline: { instance: 'test', version: '0' },
    log: { append: () => Promise.resolve() },
    recordStatus: (status) => statuses.push(status),
    logger,
  });
  const [outcome] = await runJobs([job]);
  return { outcome: outcome!, warned, statuses };
}
