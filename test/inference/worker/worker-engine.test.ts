import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Logger } from '../../../src/core/logger.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { InferenceEngine, PixelClip } from '../../../src/inference/engine.ts';
import type { NetworkOptions } from '../../../src/inference/network/graph.ts';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';
import type { EngineKind } from '../../../src/inference/engine-choice.ts';
import type { EngineSpec } from '../../../src/inference/worker/spec.ts';
import { createWorkerEngine } from '../../../src/inference/worker/worker-engine.ts';
import { builtFile } from '../../support/built.ts';
import { descendantsOf } from '../../support/processes.ts';
import { createReferenceEngine } from '../../support/own-engines.ts';

const TINY = { widthMultiplier: 0.07, frames: 4, height: 32, width: 32, classes: 3 } as const;
const NONE = { kind: 'none' } as const;
const UNRELIABLE = new URL('../../fixtures/inference-worker/unreliable-entry.mjs', import.meta.url);
const OWNER = new URL('../../fixtures/inference-worker/owner.mjs', import.meta.url);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'actionstream-worker-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  expect(process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap')).toEqual([]);
});

describe('a process gives what the engine in it gives', () => {
  for (const kind of ['onnx', 'reference'] as const) {
    test(kind, async () => {
      const reference = createReferenceEngine(createUntrainedModel({ network: TINY, seed: 5 }));
      const clip = clipOf('a');
      const wanted = await reference.infer(clip, { sampler: NONE });
      await using engine = await open({ kind });

      const found = await engine.infer(clip, { sampler: NONE });

      expect(engine.info).toMatchObject({
        ...reference.info,
        engine: kind,
        warmupMs: expect.any(Number) as number,
      });
      expect(found.plan).toEqual(wanted.plan);
      expectClose(found.logits, wanted.logits);
    });
  }

  test('pixels in shared memory and in plain memory score alike, and the caller keeps them', async () => {
    await using engine = await open({ kind: 'onnx' });
    const plain = clipOf('plain');
    const shared = new Uint8Array(new SharedArrayBuffer(plain.data.length));
    shared.set(plain.data);

    const first = await engine.infer(plain, { sampler: NONE });
    const second = await engine.infer({ ...plain, data: shared }, { sampler: NONE });
    const third = await engine.infer(plain, { sampler: NONE });

    expect(second.logits).toEqual(first.logits);
    expect(third.logits).toEqual(first.logits);
    expect(plain.data).toEqual(clipOf('plain').data);
  });

  test('an error keeps its code', async () => {
    await using engine = await open({ kind: 'onnx' });

    await expect(engine.infer({ ...clipOf('a'), frames: 3 }, { sampler: NONE })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('clip a') as string,
    });
    const sampled = engine.infer(clipOf('a'), { sampler: { kind: 'uniform', stride: 2 } });
    await expect(sampled).rejects.toMatchObject({ code: 'SAMPLER_INVALID' });
  });

  test('a model that cannot be opened is refused at the start, and no process is left', async () => {
    const spec: EngineSpec = { engine: 'onnx', model: { kind: 'file', path: join(folder, 'no-model') } };

    const opened = createWorkerEngine({ entryUrl: entry(), spec, logger: silentLogger });

    await expect(opened).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });

  test('an entry that cannot run is refused at the start', async () => {
    const entryUrl = new URL('./absent.js', import.meta.url);

    const opened = createWorkerEngine({ entryUrl, spec: specOf('null'), logger: silentLogger });

    await expect(opened).rejects.toMatchObject({ code: 'ENGINE_FAILED', retryable: true });
  });
});

describe('calls', () => {
  test('are answered in the order in which they came', async () => {
    await using engine = await open({ entryUrl: UNRELIABLE });
    const done: string[] = [];
    const ids = ['a', 'b', 'c', 'd', 'e'];

    const calls = ids.map(async (id) => {
      const { clipId } = await engine.infer(clipOf(id), { sampler: NONE });
      done.push(clipId);
    });
    await Promise.all(calls);

    expect(done).toEqual(ids);
  });

  // The clip ends only when this thread, free meanwhile, writes the file: computed here, it would never end.
  test('leave the event loop free: it turns while a clip is computed without a pause', async () => {
    await using engine = await open({ entryUrl: UNRELIABLE });
    const marker = join(folder, 'marker');
    const appeared = fileAppears(marker);
    let answered = false;
    const running = engine.infer(clipOf(`hold-once:${marker}`), { sampler: NONE }).then((result) => {
      answered = true;
      return result;
    });
    await appeared;

    for (let turn = 0; turn < 1000; turn++) await setImmediate();

    expect(answered).toBe(false);
    expect(Number(await readFile(marker, 'utf8'))).not.toBe(process.pid);
    await writeFile(`${marker}.release`, '');
    expect((await running).clipId).toBe(`hold-once:${marker}`);
  });
});

describe('a process that is lost', () => {
  for (const deed of ['exit', 'kill', 'throw']) {
    test(`by ${deed} is replaced, and its clip tried once more`, async () => {
      const lost: object[] = [];
      await using engine = await open({ entryUrl: UNRELIABLE, logger: listening(lost) });
      const marker = join(folder, 'marker');

      const [first, second] = await Promise.all([
        engine.infer(clipOf(`${deed}-once:${marker}`), { sampler: NONE }),
        engine.infer(clipOf('next'), { sampler: NONE }),
      ]);

      expect([first.clipId, second.clipId]).toEqual([`${deed}-once:${marker}`, 'next']);
      expect(lost).toEqual([expect.objectContaining({ clipId: `${deed}-once:${marker}`, attempt: 1 })]);
      expect(engine.losses?.()).toEqual({ restarts: 1, retries: 1 });
    });
  }

  test('under a batch is replaced, and all its clips are tried once more, one by one', async () => {
    const lost: object[] = [];
    await using engine = await open({ entryUrl: UNRELIABLE, logger: listening(lost) });
    const ids = ['a', 'exit-always', 'b'];

    const outcomes = await Promise.allSettled(
      engine.inferBatch(ids.map((id) => ({ clip: clipOf(id), sampler: NONE }))),
    );

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({
      reason: { code: 'ENGINE_FAILED', message: expect.stringMatching(/clip exit-always: 2 /) as string },
    });
    expect(lost[0]).toMatchObject({ clipIds: ids, attempt: 1 });
    expect(engine.losses?.().restarts).toBe(2);
  });

  test('twice by the same clip gives that clip up as retryable, and the next one runs', async () => {
    const lost: object[] = [];
    await using engine = await open({ entryUrl: UNRELIABLE, logger: listening(lost) });

    const deadly = engine.infer(clipOf('exit-always'), { sampler: NONE });
    const next = engine.infer(clipOf('next'), { sampler: NONE });

    await expect(deadly).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      retryable: true,
      message: expect.stringMatching(/clip exit-always: 2 .* code 7/) as string,
    });
    expect((await next).clipId).toBe('next');
    expect(lost).toHaveLength(2);
    expect(engine.losses?.()).toEqual({ restarts: 2, retries: 1 });
  });

  test('again and again is replaced after pauses that grow until one has answered', async () => {
    const warned: { readonly restart_in_ms?: number }[] = [];
    await using engine = await open({
      entryUrl: UNRELIABLE,
      logger: { ...silentLogger, warn: (fields) => warned.push(fields) },
    });

    for (let clip = 0; clip < 2; clip++)
      await expect(engine.infer(clipOf('exit-always'), { sampler: NONE })).rejects.toThrow();
    await engine.infer(clipOf('well'), { sampler: NONE });
    const [first = NaN, second = NaN, third = NaN] = warned.map(({ restart_in_ms: ms }) => ms);

    expect(warned).toHaveLength(3);
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);

    await expect(engine.infer(clipOf('exit-always'), { sampler: NONE })).rejects.toThrow();
    await engine.infer(clipOf('well'), { sampler: NONE });
    expect(warned[3]?.restart_in_ms).toBeLessThan(second);
  });

  test('during a pause a call can be aborted', async () => {
    const interrupt = new AbortController();
    await using engine = await open({
      entryUrl: UNRELIABLE,
      logger: {
        ...silentLogger,
        warn: () => {
          interrupt.abort();
        },
      },
    });
    await expect(engine.infer(clipOf('exit-always'), { sampler: NONE })).rejects.toThrow();

    const waiting = engine.infer(clipOf('next'), { sampler: NONE, signal: interrupt.signal });

    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    expect(engine.losses?.().restarts).toBe(1);
  });
});

describe('a process that hangs', () => {
  for (const deed of ['stop', 'spin']) {
    test(`by ${deed} is ended after the time allowed, and its clip tried once more`, async () => {
      const lost: object[] = [];
      await using engine = await open({
        entryUrl: UNRELIABLE,
        logger: listening(lost),
        clipTimeoutMs: 5000,
      });
      const marker = join(folder, 'marker');

      const [first, second] = await Promise.all([
        engine.infer(clipOf(`${deed}-once:${marker}`), { sampler: NONE }),
        engine.infer(clipOf('next'), { sampler: NONE }),
      ]);

      expect([first.clipId, second.clipId]).toEqual([`${deed}-once:${marker}`, 'next']);
      expect(lost).toEqual([expect.objectContaining({ clipId: `${deed}-once:${marker}`, attempt: 1 })]);
      const pid = Number(await readFile(marker, 'utf8'));
      await expect.poll(() => isRunning(pid)).toBe(false);
    });
  }

  test('on the same clip twice gives that clip up as retryable, and says after what time', async () => {
    await using engine = await open({ entryUrl: UNRELIABLE, clipTimeoutMs: 300 });

    const hanging = engine.infer(clipOf('stop-always'), { sampler: NONE });

    await expect(hanging).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      retryable: true,
      message: expect.stringMatching(/clip stop-always: .* gave no answer for 300 ms/) as string,
    });
  });
});

test('a TensorFlow engine that is killed is replaced, and its clip tried once more', async () => {
  const lost: object[] = [];
  const network = { widthMultiplier: 0.5, frames: 16, height: 112, width: 112, classes: 3 };
  await using engine = await open({ kind: 'tfjs', network, logger: listening(lost) });
  const [child] = (await descendantsOf(process.pid)).filter(({ command }) => command.includes('entry.js'));
  const running = engine.infer(clipOf('big', network), { sampler: NONE });

  process.kill(child!.pid, 'SIGKILL');

  expect((await running).clipId).toBe('big');
  expect(lost).toEqual([expect.objectContaining({ clipId: 'big', attempt: 1 })]);
});

describe('abort', () => {
  test('rejects a running call at once and leaves the engine usable', async () => {
    await using engine = await open({ entryUrl: UNRELIABLE });
    const controller = new AbortController();
    const { signal } = controller;
    const marker = join(folder, 'marker');
    const appeared = fileAppears(marker);
    const running = engine.infer(clipOf(`hold-once:${marker}`), { sampler: NONE, signal });
    const waiting = engine.infer(clipOf('b'), { sampler: NONE, signal });
    const settled = Promise.allSettled([running, waiting]);
    await appeared;

    controller.abort();
    await settled;

    // The process still computes the clip: nobody has let it go on.
    await writeFile(`${marker}.release`, '');
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await engine.infer(clipOf('c'), { sampler: NONE })).clipId).toBe('c');
  });

  test('of one clip of a batch rejects it at once, and the others are answered', async () => {
    await using engine = await open({ entryUrl: UNRELIABLE });
    const controller = new AbortController();
    const marker = join(folder, 'marker');
    const appeared = fileAppears(marker);
    const [first, second] = engine.inferBatch([
      { clip: clipOf(`hold-once:${marker}`), sampler: NONE },
      { clip: clipOf('b'), sampler: NONE, signal: controller.signal },
    ]);
    const rejected = expect(second).rejects.toMatchObject({ code: 'ABORTED' });
    await appeared;

    controller.abort();

    await rejected;
    await writeFile(`${marker}.release`, '');
    expect((await first!).clipId).toBe(`hold-once:${marker}`);
  });

  test('that came before the call rejects it', async () => {
    await using engine = await open({ entryUrl: UNRELIABLE });

    const call = engine.infer(clipOf('a'), { sampler: NONE, signal: AbortSignal.abort() });

    await expect(call).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('dispose', () => {
  test('rejects what is pending, may be called twice, and refuses later calls', async () => {
    const engine = await open({ kind: 'onnx' });
    const pending = [
      engine.infer(clipOf('a'), { sampler: NONE }),
      engine.infer(clipOf('b'), { sampler: NONE }),
    ];
    const outcomes = Promise.allSettled(pending);

    await Promise.all([engine[Symbol.asyncDispose](), engine[Symbol.asyncDispose]()]);
    await engine[Symbol.asyncDispose]();

    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
    }
    await expect(engine.infer(clipOf('c'), { sampler: NONE })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('an owner that is killed takes its process with it', async () => {
    builtFile('inference/worker/engine-server.js');
    const marker = join(folder, 'marker');
    const appeared = fileAppears(marker);
    const owner = spawn(process.execPath, [fileURLToPath(OWNER), `block-once:${marker}`], {
      stdio: 'inherit',
    });
    await appeared;
    const pid = Number(await readFile(marker, 'utf8'));

    owner.kill('SIGKILL');

    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  test('ends a process that no longer answers', async () => {
    const engine = await open({ entryUrl: UNRELIABLE });
    const marker = join(folder, 'marker');
    const appeared = fileAppears(marker);
    const stuck = engine.infer(clipOf(`spin-once:${marker}`), { sampler: NONE });
    const outcome = expect(stuck).rejects.toMatchObject({ code: 'ABORTED' });
    await appeared;

    await engine[Symbol.asyncDispose]();

    expect(isRunning(Number(await readFile(marker, 'utf8')))).toBe(false);
    await outcome;
  });
});

interface OpenOptions {
  readonly kind?: EngineKind;
  readonly entryUrl?: URL;
  readonly network?: Partial<NetworkOptions>;
  readonly logger?: Logger;
  readonly clipTimeoutMs?: number;
}

function open({
  kind = 'null',
  entryUrl = entry(),
  network,
  logger = silentLogger,
  clipTimeoutMs,
}: OpenOptions): Promise<InferenceEngine> {
  // The fixture imports what is built.
  builtFile('inference/worker/engine-server.js');
  return createWorkerEngine({ entryUrl, spec: specOf(kind, network), logger, clipTimeoutMs });
}

function entry(): URL {
  return builtFile('inference/worker/entry.js');
}

function specOf(engine: EngineKind, network: Partial<NetworkOptions> = TINY): EngineSpec {
  return { engine, model: { kind: 'untrained', network, seed: 5 }, threads: 1 };
}

/** A picture that moves. */
function clipOf(
  clipId: string,
  { frames, height, width }: { frames: number; height: number; width: number } = TINY,
): PixelClip {
  const data = Uint8Array.from({ length: frames * height * width * 3 }, (_, i) => (i * 37) ^ (i >> 7));
  return { clipId, frames, height, width, data };
}

/** Resolves when the file is made, which the fixture does as it begins its deed. */
async function fileAppears(path: string): Promise<void> {
  for await (const { filename } of watch(folder)) {
    if (filename === basename(path)) return;
  }
}

/** A process that ended but that nobody has asked about yet (a zombie) does not run. */
function isRunning(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  if (existsSync(stat)) return !readFileSync(stat, 'utf8').includes(') Z ');
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function listening(errors: object[]): Logger {
  return { ...silentLogger, error: (fields) => errors.push(fields) };
}

function expectClose(found: Float32Array, wanted: Float32Array): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((value, i) => {
    expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-4);
  });
}
