import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { median } from '../../../core/median.ts';
import { ActionstreamError } from '../../../core/errors.ts';
import type { Model } from '../../model.ts';
import { buildNetwork } from '../../network/build.ts';
import { bindWeights } from '../../weights/bind-weights.ts';
import { findBlockSize } from './blocked/block-size.ts';
import { buildGraphs, TENSOR } from './build-graphs.ts';
import { loadRuntime } from './runtime.ts';

export interface StageTime {
  /** Row of the layer table; `input` encodes pixels. */
  readonly stage: string;
  /** Milliseconds a clip: the median over clips, of the sum over the stage's operators. */
  readonly ms: number;
}

/**
 * Where a clip's time goes in a network without SGS, by ONNX Runtime's own profile. What the
 * runtime puts between two operators to change a layout counts for the stage before it. Profiling
 * itself costs a little: compare stages, not totals.
 * @throws ActionstreamError USAGE for a network with an SGS layer; ENGINE_UNAVAILABLE
 */
export async function profileStages(
  model: Model,
  { clips, threads }: { readonly clips: number; readonly threads: number },
): Promise<readonly StageTime[]> {
  const network = buildNetwork(model.manifest.network);
  const { weights } = bindWeights(network, model.weights, model.manifest.id);
  const graphs = buildGraphs(network, weights, { blockSize: await findBlockSize() });
  if (!('whole' in graphs))
    throw new ActionstreamError('USAGE', 'a network with SGS is two graphs: profile it without');
  const runtime = await loadRuntime();
  const folder = await mkdtemp(path.join(tmpdir(), 'actionstream-profile-'));
  try {
    const session = await runtime.InferenceSession.create(graphs.whole, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      enableMemPattern: false,
      logSeverityLevel: 3,
      intraOpNumThreads: threads,
      enableProfiling: true,
      profileFilePrefix: path.join(folder, 'profile'),
    });
    const { frames, height, width } = network.options;
    const pixels = new Uint8Array(frames * height * width * 3);
    for (let clip = 0; clip <= clips; clip++) {
      await session.run({ [TENSOR.pixels]: new runtime.Tensor('uint8', pixels, [frames, height, width, 3]) });
    }
    session.endProfiling();
    await session.release();
    const [file = ''] = await readdir(folder);
    const stages = new Set(network.nodes.map((node) => node.stage));
    return stageTimes(JSON.parse(await readFile(path.join(folder, file), 'utf8')) as Event[], stages);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A line of ONNX Runtime's trace, as far as it is read here. */
interface Event {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
}

/** The first clip warms up and is left out. */
export function stageTimes(events: readonly Event[], stages: ReadonlySet<string>): readonly StageTime[] {
  const clips: Map<string, number>[] = [];
  let current = new Map<string, number>();
  let stage = 'input';
  for (const { cat, name, dur } of events) {
    if (cat === 'Session' && name === 'model_run') {
      clips.push(current);
      current = new Map();
      stage = 'input';
    }
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    const word = name.split('/', 1)[0] ?? '';
    if (stages.has(word)) stage = word;
    current.set(stage, (current.get(stage) ?? 0) + dur / 1000);
  }
  const measured = clips.slice(1);
  const seen = new Set(measured.flatMap((clip) => [...clip.keys()]));
  return [...stages]
    .filter((name) => seen.has(name))
    .map((name) => ({ stage: name, ms: median(measured.map((clip) => clip.get(name) ?? 0)) }));
}
