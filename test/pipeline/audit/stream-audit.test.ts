import { afterEach, describe, expect, it } from 'vitest';
import type { Clip } from '../../../src/core/frame.ts';
import { silentLogger, type Logger } from '../../../src/core/logger.ts';
import type { InferenceEngine } from '../../../src/inference/engine.ts';
import { EngineScheduler } from '../../../src/inference/scheduler/engine-scheduler.ts';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';
import { createStreamAudit, type StreamAudit } from '../../../src/pipeline/audit/stream-audit.ts';
import { createPixelPacker } from '../../../src/pipeline/pack-pixels.ts';
import { createNullEngine } from '../../support/own-engines.ts';

const model = createUntrainedModel({
  network: {
    ...{ variant: 's3d', frames: 8, height: 32, width: 32, classes: 2, widthMultiplier: 0.125 },
    sgs: { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 1 }, boundary: 'as_is' },
  },
  seed: 1,
});
const THRESHOLDS = [0.5, 0.5];
const sampler = { kind: 'ordered', width: 1, distance: 'l2' } as const;
const signal = new AbortController().signal;

/** Above which δ the sampled scores are not those of the dense network. */
const camera = { servesUpTo: Infinity };
const schedulers: EngineScheduler[] = [];
afterEach(async () => {
  for (const scheduler of schedulers.splice(0)) await scheduler[Symbol.asyncDispose]();
});

/** A null engine whose scores are turned round where δ is too large for the camera. */
function watch({
  share = 1,
  failing = false,
  logger = silentLogger,
}: { share?: number; failing?: boolean; logger?: Logger } = {}) {
  const plain = createNullEngine(model, { logits: [1, -1] });
  const engine: InferenceEngine = {
    ...plain,
    inferBatch: (batch) =>
      plain.inferBatch(batch).map(async (answer, index) => {
        const result = await answer;
        const { sampler: used, maps } = batch[index] ?? {};
        if (failing && maps === 'kept') throw new Error('broken on purpose');
        const isOff = used?.kind === 'ordered' && used.width > camera.servesUpTo;
        return isOff
          ? { ...result, scores: Float32Array.of(0.1, 0.9) }
          : { ...result, scores: Float32Array.of(0.9, 0.1) };
      }),
  };
  const scheduler = new EngineScheduler([engine]);
  schedulers.push(scheduler);
  const stream = scheduler.engineFor('hall');
  const audit = createStreamAudit('hall', {
    targets: { share, agreement: 0.9 },
    ...{ sampler, thresholds: THRESHOLDS, engine: stream, logger },
  });
  return { audit, stream };
}

let clips = 0;
function clipOf(): Clip {
  const index = (clips += 1) * 8;
  const frames = Array.from({ length: 8 }, (_, i) => ({
    ...{ streamId: 'hall', index: index + i, segment: 0, ptsUs: 0, capturedAtMs: 0, ingestedAtMs: 0 },
    ...{ width: 32, height: 32, data: new Uint8Array(32 * 32 * 3).fill((i * 31 + clips) % 256) },
  }));
  return {
    ...{ clipId: `hall/0/${index}`, streamId: 'hall', segment: 0, sequence: clips, startIndex: index },
    ...{ framesBefore: index, context: [], frames, startUs: 0, endUs: 0, startedAtMs: 0, endedAtMs: 0 },
    paddedFrames: 0,
  };
}

async function pass({ audit, stream }: ReturnType<typeof watch>, count: number): Promise<void> {
  const pack = createPixelPacker({ sampler });
  for (let n = 0; n < count; n += 1) {
    const clip = clipOf();
    const run = audit.begin(clip);
    const scored = await stream.infer(pack(clip), {
      sampler: run.sampler,
      ...(run.chosen && { maps: 'keep' }),
    });
    if (run.chosen) await audit.examine(clip, run, scored, signal);
  }
}

function stateOf({ audit }: { readonly audit: StreamAudit }) {
  const { deltaScale, agreement, changes } = audit.read();
  return { deltaScale, agreement, changes };
}

describe('audit of a stream', () => {
  it('follows a camera that changes: down, to dense, and up again, each step logged and counted', async () => {
    const lines: string[] = [];
    const note = (_: object, message: string): void => void lines.push(message);
    const watched = watch({ logger: { ...silentLogger, info: note, warn: note } });

    camera.servesUpTo = Infinity;
    await pass(watched, 120);
    expect(stateOf(watched)).toEqual({ deltaScale: 1, agreement: 1, changes: { lowered: 0, raised: 0 } });

    camera.servesUpTo = 0.3;
    await pass(watched, 10);
    expect(stateOf(watched)).toEqual({ deltaScale: 0.25, agreement: 1, changes: { lowered: 1, raised: 0 } });

    camera.servesUpTo = 0;
    await pass(watched, 10);
    expect(stateOf(watched)).toMatchObject({ deltaScale: 0, agreement: 1 });
    expect(watched.audit.begin(clipOf())).toMatchObject({
      sampler: { kind: 'none' },
      note: { deltaScale: 0 },
    });

    camera.servesUpTo = Infinity;
    watched.audit.giveUp(clipOf(), signal);
    await pass(watched, 250);
    expect(stateOf(watched)).toMatchObject({ deltaScale: 1, changes: { raised: 4 } });
    expect(lines.filter((line) => line === 'audit: δ lowered to dense')).toHaveLength(1);
    expect(lines.filter((line) => line === 'audit: δ raised')).toHaveLength(4);
  });

  it('audits its share, and says in each receipt what it knew', async () => {
    camera.servesUpTo = Infinity;
    const watched = watch({ share: 0.05 });
    await pass(watched, 400);

    const { audited, dropped, multiplyAdds } = watched.audit.read();
    expect(audited).toBeGreaterThan(40);
    expect(audited).toBeLessThan(200);
    expect(dropped).toEqual({});
    expect(multiplyAdds).toBeGreaterThan(0);
    const { note } = watched.audit.begin(clipOf());
    expect(note).toMatchObject({ agreement: 1, deltaScale: 1, deltaChanges: 0 });
  });

  it('drops a clip, and counts it, while the one before is at work', async () => {
    camera.servesUpTo = Infinity;
    const { audit, stream } = watch();
    const pack = createPixelPacker({ sampler });
    const [first, second] = [clipOf(), clipOf()];
    const run = audit.begin(first);
    const scored = await stream.infer(pack(first), { sampler: run.sampler, maps: 'keep' });
    const audited = audit.examine(first, run, scored, signal);

    expect(audit.begin(second).chosen).toBe(false);
    await audited;
    expect(audit.read()).toMatchObject({ audited: 1, dropped: { busy: 1 } });
    expect(audit.begin(clipOf()).chosen).toBe(true);
  });

  it('counts what fails, changes nothing by it, and goes on', async () => {
    camera.servesUpTo = 0;
    const watched = watch({ failing: true });
    await pass(watched, 30);

    expect(watched.audit.read()).toMatchObject({ audited: 0, deltaScale: 1, dropped: { failed: 30 } });
    expect(watched.stream.mayKeep()).toBe(true);
  });
});
