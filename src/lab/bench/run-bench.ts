import { cpus } from 'node:os';
import { version as nodeVersion } from 'node:process';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { demandReadable } from '../../ingest/index.ts';
import { loadModel } from '../../inference/weights/load-model.ts';
import { writeFigure } from '../plots/write-figure.ts';
import { engineSpecOf } from '../../app/engine-spec.ts';
import { modelChoice } from '../../app/model-choice.ts';
import { benchFigures } from './bench-figures.ts';
import { timeClips } from './clip-times.ts';
import type { BenchContext } from './context.ts';
import { openPeer } from './peer.ts';
import { ratiosOf } from './ratios.ts';
import { readResults, writeResults } from './results-file.ts';
import { FULL_SHAPE, QUICK_SHAPE, shapeOf, type ClipShape } from './shapes.ts';
import { timeReuse, timeStages } from './stage-times.ts';
import { runStreamCounts } from './stream-runs.ts';
import type { BenchOutcome, BenchRequest, BenchResults } from './types.ts';

export interface BenchServices {
  readonly version: string;
  /** dist/main.js */
  readonly mainPath: string;
  /** bench/peer/peer.py */
  readonly peerScript: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * Measures the parts asked for, adds them to what `out` holds already, and draws all of it. Results are
 * written after every round, part and number of streams.
 */
export async function runBench(
  request: BenchRequest,
  services: BenchServices,
  progress: (message: string) => void,
): Promise<BenchOutcome> {
  const { parts, quick, out, threads, videos } = request;
  const { signal, env, mainPath } = services;
  if (parts.includes('streams') && videos.length === 0)
    throw new ActionstreamError(
      'USAGE',
      'the part streams replays videos: name some of fixed cameras with --video',
    );
  if (parts.includes('streams')) for (const video of videos) await demandReadable(video);
  const { peer, version: peerVersion } = await findPeer(request, services, progress);
  const context: BenchContext = { threads, videos, mainPath, env, signal, progress, ...(peer && { peer }) };
  const known = await readResults(out);
  let results: BenchResults = {
    ...known,
    machine: machineOf(services.version, peerVersion ?? known.machine?.peer),
  };
  const save = async (more: Partial<BenchResults>): Promise<void> => {
    results = { ...results, ...more };
    await writeResults(out, results);
  };
  const model = await openShape(request.model);
  const dense = quick ? QUICK_SHAPE : FULL_SHAPE;
  const timeShape = (shape: ClipShape, rounds: number): Promise<void> =>
    timeClips(context, shape, {
      rounds,
      save: (times) => save({ clips: { ...results.clips, [shape.name]: times } }),
    });
  for (const part of parts) {
    signal.throwIfAborted();
    switch (part) {
      case 'clip':
        await timeShape(dense, quick ? 3 : 7);
        break;
      case 'model':
        await timeShape(model.shape, quick ? 5 : 31);
        break;
      case 'stages':
        await save({ stages: await timeStages(context, dense, quick ? 3 : 7) });
        break;
      case 'reuse':
        await save({ reuse: await timeReuse(context, dense, quick ? 3 : 21) });
        break;
      case 'streams': {
        const { counts, seconds, settings } = request;
        await runStreamCounts(context, results.streams, {
          ...{ counts, seconds, warmupSeconds: quick ? 1 : 4, model: request.model, ...model },
          ...(settings && { settings }),
          save: (streams) => save({ streams }),
        });
        break;
      }
    }
  }
  const files = [await writeResults(out, results)];
  for (const [name, figure] of benchFigures(results)) files.push(...(await writeFigure(out, name, figure)));
  return { ratios: ratiosOf(results), results, files };
}

/** The shape of a trained model, and how it steps through a stream. */
async function openShape(
  name: string,
): Promise<{ shape: ClipShape; clip: { readonly fps: number; readonly stride: number } }> {
  const { model: spec } = engineSpecOf(modelChoice({ model: name, seed: 0 }));
  if (spec.kind !== 'file')
    throw new ActionstreamError(
      'USAGE',
      `${name} is a network, not a model: name a model folder with --model`,
    );
  const { manifest } = await loadModel(spec.path);
  return { shape: shapeOf(manifest), clip: manifest.clip };
}

/** The peer, if there is one and it answers; else the reason is reported. */
async function findPeer(
  { python }: BenchRequest,
  { peerScript, env, signal }: BenchServices,
  progress: (message: string) => void,
): Promise<{ peer?: NonNullable<BenchContext['peer']>; version?: string }> {
  if (python === undefined) {
    progress('no peer: --peer PYTHON names a Python with torch and opencv-python-headless');
    return {};
  }
  const peer = { python, script: peerScript };
  try {
    await using asked = await openPeer({ ...peer, tunedMalloc: false, env });
    const { version } = await asked.ask<{ version: string }>({ do: 'version' }, signal);
    return { peer, version };
  } catch (error) {
    signal.throwIfAborted();
    progress(`the peer is left out: ${messageOf(error)}`);
    return {};
  }
}

function machineOf(version: string, peer: string | undefined): BenchResults['machine'] {
  const [first] = cpus();
  return {
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    node: nodeVersion,
    version,
    date: new Date().toISOString().slice(0, 10),
    ...(peer !== undefined && { peer }),
  };
}
