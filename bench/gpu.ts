import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/core/errors.ts';
import { Resources } from '../src/core/resources.ts';
import type { Provider } from '../src/inference/engine-choice.ts';
import { loadModel } from '../src/inference/weights/load-model.ts';
import { createUntrainedModel } from '../src/inference/weights/untrained-model.ts';
import {
  openBatches,
  openEngine,
  openOurs,
  openPeerProcess,
  type GpuCase,
  type GpuTimes,
  type PeerJob,
  type PeerProcess,
  type PeerSettings,
} from './gpu/cases.ts';
import { tableLines, type NetworkResult } from './gpu/print.ts';
import { shaken, writeNetwork, type GpuNetwork } from './gpu/networks.ts';

/**
 * Clips on a GPU, ours and PyTorch's on the same card: scores compared first,
 * then timed in turn, one process a case:
 *
 *     npx tsx bench/gpu.ts [--provider webgpu] [--peer python3] [--device cuda] [--out gpu.json]
 *         [--seconds 20] [--quick] [--modes 'eager,channels_last,graph,compiled']
 *
 * The peer needs torch and safetensors. Whatever is not here is named and left out.
 */
const { values } = parseArgs({
  options: {
    provider: { type: 'string', default: 'webgpu' },
    peer: { type: 'string' },
    /** The peer's. */
    device: { type: 'string', default: 'cuda' },
    out: { type: 'string', default: 'gpu.json' },
    /** Measuring each network takes about so long. */
    seconds: { type: 'string', default: '20' },
    /** The peer's compiler gets so long. */
    'compile-seconds': { type: 'string', default: '120' },
    /** Of the peer, separated by commas; all where absent. */
    modes: { type: 'string' },
    quick: { type: 'boolean', default: false },
    root: { type: 'string', default: path.join(import.meta.dirname, '..') },
  },
});
const MODES = [
  'eager',
  'eager fp32',
  'channels_last',
  'channels_last fp32',
  'autocast fp16',
  'autocast bf16',
];
const GRAPHS = ['graph', 'graph fp32', 'graph fp32 contiguous', 'graph fp16'];
const COMPILED = ['compiled', 'compiled fp32', 'compiled fp16', 'compiled max-autotune'];
const BATCHED = ['channels_last', 'graph fp32', 'graph', 'graph fp16'];
const FEWEST_ROUNDS = 3;
const provider = values.provider as Provider;

const results: {
  machine: object;
  networks: NetworkResult[];
  notes: string[];
} = {
  machine: {
    cpu: cpus()[0]?.model,
    cores: availableParallelism(),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  },
  networks: [],
  notes: [],
};

await using resources = new Resources();
const folder = await mkdtemp(path.join(tmpdir(), 'actionstream-gpu-'));
try {
  const networks = await makeNetworks();
  const compilers = await Promise.all(networks.map((network) => openCompilers(network)));
  for (const [index, network] of networks.entries()) {
    const peers = await awaitPeers(network, compilers[index]!);
    await measure(network, [...(await openAllOurs(network)), ...peers]);
  }
} finally {
  await rm(folder, { recursive: true });
}

async function makeNetworks(): Promise<readonly GpuNetwork[]> {
  const side = values.quick ? { frames: 16, height: 64, width: 64 } : { frames: 64, height: 224, width: 224 };
  const sgs = {
    after: 'Conv_2b',
    embedding: { kind: 'pooled', grid: 4 },
    boundary: 'nearest_complete',
  } as const;
  const full = createUntrainedModel({ network: { variant: 's3d-g', ...side, sgs }, seed: 1 });
  const shipped = await loadModel(path.join(values.root, 'models', 's3d-g-atfr'));
  return [
    await writeNetwork(path.join(folder, 'shipped'), shipped),
    await writeNetwork(path.join(folder, 'full'), shaken(full)),
  ];
}

/** Processes of the peer that compile, each one mode; all at once, since it takes long and many cores. */
async function openCompilers(network: GpuNetwork): Promise<readonly PeerProcess[]> {
  if (values.peer === undefined) return [];
  const compilers = COMPILED.filter(isWanted).map(async (mode) => {
    const compiler = await openPeerProcess(network, jobsOf([mode], 1, 1), peerSettings(), resources);
    const timeoutS = Number(values['compile-seconds']);
    return (await compiler.warm({ rough: true, timeoutS })).length > 0 ? [compiler] : [];
  });
  return (await Promise.all(compilers)).flat();
}

/** Every mode of the peer, made ready with nobody else on the card. */
async function awaitPeers(
  network: GpuNetwork,
  compilers: readonly PeerProcess[],
): Promise<readonly GpuCase[]> {
  if (values.peer === undefined) return [];
  const jobs = [
    ...jobsOf([...MODES, ...GRAPHS], 1, 1),
    ...stridesOf(network)
      .slice(1)
      .flatMap((stride) => jobsOf(['channels_last fp32', 'graph fp32', 'graph'], 1, stride)),
    ...batchesOf().flatMap((batch) => jobsOf(BATCHED, batch, 1)),
  ];
  const eager = await openPeerProcess(network, jobs, peerSettings(), resources);
  const cases: GpuCase[] = [];
  for (const one of [eager, ...compilers]) {
    cases.push(...(await one.warm({ rough: false, timeoutS: Number(values['compile-seconds']) })));
  }
  return cases;
}

/** Ours on the device and on the CPU. */
async function openAllOurs(network: GpuNetwork): Promise<readonly GpuCase[]> {
  const strides = stridesOf(network);
  const cases: GpuCase[] = [];
  for (const choice of [
    { provider: 'cpu', threads: availableParallelism(), strides },
    { provider: 'cpu', threads: 2, strides: [1] },
    { provider, strides },
  ] as const) {
    try {
      cases.push(...(await openOurs(network, choice, resources)));
    } catch (error) {
      tell(`not here: onnx/${choice.provider}: ${messageOf(error)}`);
    }
  }
  try {
    const few = strides.filter((stride) => stride === 1 || stride === strides.at(-2));
    const choice = { provider, batches: [1, ...batchesOf()], strides: few };
    cases.push(...(await openBatches(network, choice, resources)));
  } catch (error) {
    tell(`not here: onnx/${provider}, batches: ${messageOf(error)}`);
  }
  return cases;
}

/** Clips in one call, ours and the peer's. */
function batchesOf(): readonly number[] {
  return values.quick ? [2] : [2, 4, 8, 16];
}

/** Of steps kept: all, and fewer and fewer. */
function stridesOf({ inputSteps }: GpuNetwork): readonly number[] {
  return [1, 2, 4, 8, 12, 16, 32].filter((n) => n <= inputSteps && inputSteps % n === 0);
}

function jobsOf(modes: readonly string[], batch: number, stride: number): readonly PeerJob[] {
  return modes.filter(isWanted).map((mode) => ({ mode, batch, stride }));
}

function isWanted(mode: string): boolean {
  return values.modes === undefined || values.modes.split(',').includes(mode);
}

function peerSettings(): PeerSettings {
  return {
    python: values.peer ?? 'python3',
    script: path.join(values.root, 'bench', 'peer', 'gpu.py'),
    device: values.device,
    tell,
  };
}

async function measure(network: GpuNetwork, cases: readonly GpuCase[]): Promise<void> {
  const rounds = cases.map((): GpuTimes[] => []);
  const until = performance.now() + 1000 * Number(values.seconds);
  for (let round = 0; round < FEWEST_ROUNDS || performance.now() < until; round++) {
    for (const [index, one] of cases.entries()) rounds[index]!.push(await one.take());
  }
  const reference = new Map(
    cases.filter(({ name }) => name.startsWith('onnx/cpu')).map(({ stride, logits }) => [stride, logits]),
  );
  const compared = cases.map(({ name, batch, stride, readyS, logits }, index) => ({
    ...{ name, batch, stride, readyS },
    difference: largestDifference(logits, reference.get(stride) ?? []),
    rounds: rounds[index]!,
  }));
  const scale = Math.max(...(reference.get(1) ?? []).map(Math.abs));
  const { name, multiplyAdds, inputSteps } = network;
  const row = { name, multiplyAdds, inputSteps, scale, cases: compared, together: {} };
  results.networks.push(row);
  console.log(tableLines(row).join('\n'));
  await writeFile(values.out, JSON.stringify(results));
  row.together = await countTogether(network);
  await writeFile(values.out, JSON.stringify(results));
}

/** Clips a second of several engines of ours at once, each with a clip always waiting. */
async function countTogether({ dense, clip }: GpuNetwork): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  await using engines = new Resources();
  try {
    const all = await Promise.all(Array.from({ length: 4 }, () => openEngine(dense, provider)));
    for (const engine of all) engines.add(engine);
    for (const wanted of [1, 2, 4]) {
      const started = performance.now();
      const until = started + (values.quick ? 500 : 2000);
      let clips = 0;
      await Promise.all(
        all.slice(0, wanted).map(async (engine) => {
          for (; performance.now() < until; clips++) await engine.infer(clip, { sampler: { kind: 'none' } });
        }),
      );
      counts[wanted] = clips / ((performance.now() - started) / 1000);
      console.log(`${wanted} engines at once: ${counts[wanted].toFixed(1)} clips a second`);
    }
  } catch (error) {
    tell(`engines at once: ${messageOf(error)}`);
  }
  return counts;
}

function tell(line: string): void {
  results.notes.push(line);
  console.error(line);
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))));
}
