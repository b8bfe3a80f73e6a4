import { messageOf } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { Resources } from '../../src/core/resources.ts';
import type { Provider } from '../../src/inference/engine-choice.ts';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import { createWorkerEngine } from '../../src/inference/worker/worker-engine.ts';
import { openPeer, type Peer } from '../../src/lab/bench/peer.ts';
import { builtFile } from '../../test/support/built.ts';
import type { GpuNetwork } from './networks.ts';

/** One way to compute a clip; its scores are those of the clip that every other case was given. */
export interface GpuCase {
  readonly name: string;
  /** Clips that one call computes. */
  readonly batch: number;
  /** Every so many steps one is kept; 1 is dense. */
  readonly stride: number;
  readonly logits: readonly number[];
  /** Seconds until the first clip came: compilation, capture, warm-up. */
  readonly readyS: number;
  /** One round. */
  take(): Promise<GpuTimes>;
}

/** Milliseconds of each call. */
export interface GpuTimes {
  /** From pixels of the host to scores of the host. */
  readonly ms: readonly number[];
  /** Ours: in the engine's process. The peer's: with the pixels on the card already. */
  readonly innerMs: readonly number[];
}

export interface PeerJob {
  readonly mode: string;
  readonly batch: number;
  readonly stride: number;
}

/** Calls in a round. */
const GPU_REPEATS = 5;

/** `strides` of 1 run the network without its SGS layer, others the one with it. */
export async function openOurs(
  { cut, dense, clip }: GpuNetwork,
  { provider, threads, strides }: { provider: Provider; threads?: number; strides: readonly number[] },
  resources: Resources,
): Promise<readonly GpuCase[]> {
  const cases: GpuCase[] = [];
  const open = async (path: string): Promise<InferenceEngine> =>
    resources.add(await openEngine(path, provider, threads === undefined ? {} : { threads }));
  const [whole, split] = [
    strides.includes(1) ? await open(dense) : undefined,
    strides.some((stride) => stride > 1) ? await open(cut) : undefined,
  ];
  for (const stride of strides) {
    const engine = stride === 1 ? whole : split;
    if (!engine) continue;
    const sampler = stride === 1 ? ({ kind: 'none' } as const) : ({ kind: 'uniform', stride } as const);
    const infer = () => engine.infer(clip, { sampler });
    const { logits } = await infer();
    const name = `onnx/${engine.info.device}${threads === undefined ? '' : `, ${threads} threads`}`;
    const repeats = provider === 'cpu' ? 1 : GPU_REPEATS;
    const take = async (): Promise<GpuTimes> => {
      const times = { ms: [] as number[], innerMs: [] as number[] };
      for (let n = 0; n < repeats; n++) {
        const started = performance.now();
        const { compute } = await infer();
        times.ms.push(performance.now() - started);
        times.innerMs.push(compute.lowerMs + compute.samplerMs + compute.upperMs);
      }
      return times;
    };
    cases.push({ name, batch: 1, stride, logits: [...logits], readyS: engine.info.warmupMs / 1000, take });
  }
  return cases;
}

/** The clip so many times in one call, as clips of different streams are computed together (ADR 0025). */
export async function openBatches(
  { cut, dense, clip }: GpuNetwork,
  { provider, batches, strides }: BatchChoice,
  resources: Resources,
): Promise<readonly GpuCase[]> {
  const maxClips = Math.max(...batches);
  const cases: GpuCase[] = [];
  for (const stride of strides) {
    const engine = resources.add(await openEngine(stride === 1 ? dense : cut, provider, { maxClips }));
    const sampler = stride === 1 ? ({ kind: 'none' } as const) : ({ kind: 'uniform', stride } as const);
    for (const batch of batches) {
      const calls = Array.from({ length: batch }, () => ({ clip, sampler }));
      const infer = () => Promise.all(engine.inferBatch(calls));
      const [first] = await infer();
      const take = async (): Promise<GpuTimes> => {
        const times = { ms: [] as number[], innerMs: [] as number[] };
        for (let n = 0; n < (provider === 'cpu' ? 1 : GPU_REPEATS); n++) {
          const started = performance.now();
          const results = await infer();
          times.ms.push(performance.now() - started);
          // Each has its share of what they had in common.
          const inner = results.map(({ compute }) => compute.lowerMs + compute.samplerMs + compute.upperMs);
          times.innerMs.push(inner.reduce((sum, ms) => sum + ms, 0));
        }
        return times;
      };
      const name = `onnx/${engine.info.device}, batched graphs`;
      const readyS = engine.info.warmupMs / 1000;
      cases.push({ name, batch, stride, logits: [...first!.logits], readyS, take });
    }
  }
  return cases;
}

interface BatchChoice {
  readonly provider: Provider;
  readonly batches: readonly number[];
  readonly strides: readonly number[];
}

export function openEngine(
  path: string,
  provider: Provider,
  choice: { readonly threads?: number; readonly maxClips?: number } = {},
): Promise<InferenceEngine> {
  return createWorkerEngine({
    entryUrl: builtFile('inference/worker/entry.js'),
    spec: {
      engine: 'onnx',
      provider,
      model: { kind: 'file', path },
      ...choice,
    },
    logger: silentLogger,
  });
}

/** A Python process with the network, for some jobs. */
export interface PeerProcess {
  readonly jobs: readonly PeerJob[];
  /**
   * Makes the jobs ready; one that fails, or all that are not ready in time, are reported
   * and left out. `rough`: while others use the card; once more without it then.
   */
  warm(options: { readonly rough: boolean; readonly timeoutS: number }): Promise<readonly GpuCase[]>;
}

export async function openPeerProcess(
  { peer: network }: GpuNetwork,
  jobs: readonly PeerJob[],
  { python, script, device, tell }: PeerSettings,
  resources: Resources,
): Promise<PeerProcess> {
  const peer = resources.add(await openPeer({ python, script, tunedMalloc: false, env: process.env }));
  const never = new AbortController().signal;
  let opened = false;
  return {
    jobs,
    async warm({ rough, timeoutS }) {
      const signal = AbortSignal.timeout(1000 * timeoutS);
      const cases: GpuCase[] = [];
      try {
        if (!opened)
          tell(`peer: ${JSON.stringify(await peer.ask({ do: 'open', device, ...network }, signal))}`);
        opened = true;
        for (const job of jobs) {
          try {
            const request = { do: 'warm', ...job, rough };
            const { logits, seconds } = await peer.ask<{ logits: number[]; seconds: number }>(
              request,
              signal,
            );
            cases.push(peerCase(peer, job, { logits, readyS: seconds }, never));
          } catch (error) {
            signal.throwIfAborted();
            tell(`not here: torch ${job.mode}, ${job.batch} at once: ${messageOf(error)}`);
          }
        }
        return cases;
      } catch (error) {
        tell(`not here: torch ${jobs.map(({ mode }) => mode).join(', ')}: ${messageOf(error)}`);
        return [];
      }
    },
  };
}

export interface PeerSettings {
  readonly python: string;
  /** bench/peer/gpu.py */
  readonly script: string;
  readonly device: string;
  readonly tell: (line: string) => void;
}

function peerCase(
  peer: Peer,
  job: PeerJob,
  ready: Pick<GpuCase, 'logits' | 'readyS'>,
  signal: AbortSignal,
): GpuCase {
  const take = async (): Promise<GpuTimes> => {
    const request = { do: 'clip', ...job, reps: GPU_REPEATS };
    const { ms, deviceMs } = await peer.ask<{ ms: number[]; deviceMs: number[] }>(request, signal);
    return { ms, innerMs: deviceMs };
  };
  return { name: `torch ${job.mode}`, batch: job.batch, stride: job.stride, ...ready, take };
}
