import { afterEach, describe, expect, test } from 'vitest';
import type { EngineStages, LoweredPart, LowerPart } from '../../../src/inference/engine-stages.ts';
import type { PixelClip } from '../../../src/inference/engine.ts';
import { buildGraphs } from '../../../src/inference/engines/onnx/build-graphs.ts';
import { CPU_PROVIDER } from '../../../src/inference/engines/onnx/providers.ts';
import { createTfjsStages } from '../../../src/inference/engines/tfjs/tfjs-stages.ts';
import { openTensorFlow } from '../../../src/inference/engines/tfjs/tensorflow.ts';
import type { Weights } from '../../../src/inference/model.ts';
import { openOnnxStages } from '../../../src/inference/engines/onnx/onnx-stages.ts';
import { buildNetwork } from '../../../src/inference/network/build.ts';
import type { Network, NetworkOptions } from '../../../src/inference/network/graph.ts';
import { STAGES, type StageName } from '../../../src/inference/network/stages.ts';
import { streamGeometry, type StreamGeometry } from '../../../src/inference/stream/geometry.ts';
import { createStepReuse, type LoweredClip } from '../../../src/inference/stream/step-reuse.ts';
import { createRandomStream } from '../../../src/inference/weights/random-stream.ts';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';

/*
 * The definition: the steps of a clip are the last steps of one plain run of the lower stage
 * over all frames of its segment up to the clip's end. Features and embeddings are of order one.
 */
const TOLERANCE = 1e-5;
const TINY = { widthMultiplier: 0.07, height: 16, width: 24, classes: 3 } as const;
const SIGNAL = new AbortController().signal;

const opened: EngineStages[] = [];
afterEach(async () => {
  for (const stages of opened.splice(0)) await stages.release();
});

describe.each([
  ['onnx', openOnnx],
  ['tfjs', openTfjs],
] as const)('on %s a clip of a stream has the steps that its segment gives', (engine, open) => {
  const strides = [2, 6, 12];
  const cases: readonly (readonly [string, Partial<NetworkOptions>, StageName])[] = [
    ...STAGES.slice(0, 6).map(
      ({ name }, i) => ['s3d', { padding: i % 2 === 0 ? 'symmetric' : 'same' }, name] as const,
    ),
    ['i3d', { padding: 'same' }, 'Mixed_3b'],
    ['i2d', {}, 'Conv_2c'],
    ['s3d-g', {}, 'Conv_2b'],
    ['s3d-g', { stem: 'dense', input: { kind: 'motion' } }, 'Conv_2b'],
    ['s3d-g', { stem: 'space_to_depth' }, 'Conv_2b'],
    ['s3d', { poolPadding: 'same_even', input: { kind: 'motion' }, frames: 48 }, 'MaxPool_4a'],
    ['s3d', { poolPadding: 'same_even', padding: 'same', frames: 48 }, 'MaxPool_4a'],
    ['top-heavy-s3d:Conv_2c', { padding: 'same' }, 'Mixed_3b'],
  ];
  // TensorFlow runs the same plans: every second case has each kind of node.
  for (const [variant, options, after] of cases.filter((_, index) => engine === 'onnx' || index % 2 === 1)) {
    test(`${variant} after ${after}, ${JSON.stringify(options)}`, async () => {
      const { stages, geometry, network } = await openLower(open, { ...options, variant }, after);
      const pixels = noise(network, 60);
      for (const stride of strides.filter((n) => n % geometry.jump === 0)) {
        const streams = createStepReuse({ geometry, maxStreams: 1 });
        for (let first = 0; first + geometry.frames <= 60; first += stride) {
          const clip = clipAt(network, geometry, { pixels, first });

          const found = await lower(streams, stages, clip);

          const wanted = await plainSteps(stages, geometry, { pixels, end: first + geometry.frames });
          expect(largestDifference(found.features, wanted.features), `${stride} ${first}`).toBeLessThan(
            TOLERANCE,
          );
          expect(
            largestDifference(found.embeddings.data, wanted.embeddings),
            `${stride} ${first}`,
          ).toBeLessThan(TOLERANCE);
          if (first > 0 && stride < geometry.frames / 2) expect(found.reuse?.reusedSteps).toBeGreaterThan(0);
        }
      }
    });
  }
});

test('a clip that was interrupted after its memory moved leaves a stream that is computed anew, and right', async () => {
  const { stages, geometry, network } = await openLower(openOnnx, { variant: 's3d' }, 'Conv_2b');
  const streams = createStepReuse({ geometry, maxStreams: 1 });
  const pixels = noise(network, 60);
  await lower(streams, stages, clipAt(network, geometry, { pixels, first: 0 }));
  const clip = clipAt(network, geometry, { pixels, first: 8 });

  expect(streams.fetch(clip)?.missing.length).toBeGreaterThan(0);
  const found = await lower(streams, stages, clip);

  const wanted = await plainSteps(stages, geometry, { pixels, end: 8 + geometry.frames });
  expect(found.reuse?.reusedSteps).toBe(0);
  expect(largestDifference(found.features, wanted.features)).toBeLessThan(TOLERANCE);
});

/** What an engine does with the lower stage of a clip. */
async function lower(
  streams: ReturnType<typeof createStepReuse>,
  stages: EngineStages,
  clip: PixelClip,
): Promise<LoweredClip> {
  const fetched = streams.fetch(clip)!;
  const outputs = new Map<LowerPart, LoweredPart>();
  for (const part of fetched.missing) outputs.set(part, (await stages.lower([part], SIGNAL))[0]!);
  return fetched.finish(outputs);
}

async function openLower(
  open: (network: Network, weights: Weights) => Promise<EngineStages>,
  options: Partial<NetworkOptions>,
  after: StageName,
) {
  const sgs = { after, embedding: { kind: 'learned', size: 4 }, boundary: 'nearest_complete' } as const;
  const model = createUntrainedModel({ network: { frames: 32, ...TINY, ...options, sgs }, seed: 3 });
  const network = buildNetwork(model.manifest.network);
  const stages = await open(network, model.weights);
  opened.push(stages);
  const geometry = streamGeometry(network);
  if ('unsupported' in geometry) throw new Error(geometry.unsupported);
  return { network, geometry, stages };
}

function openOnnx(network: Network, weights: Weights): Promise<EngineStages> {
  const graphs = buildGraphs(network, weights, { streams: true });
  return openOnnxStages(network, graphs, { threads: 1, provider: CPU_PROVIDER });
}

/** On what is fastest here. */
async function openTfjs(network: Network, weights: Weights): Promise<EngineStages> {
  const { opened } = await openTensorFlow({ threads: 1 });
  return createTfjsStages(opened.tf, network, weights, { streams: true });
}

function noise({ options: { height, width } }: Network, frames: number): Uint8Array {
  const random = createRandomStream(3, 'pixels');
  return Uint8Array.from({ length: frames * height * width * 3 }, () => 128 + 50 * random.normal());
}

function clipAt(
  { options: { frames, height, width } }: Network,
  { contextFrames }: StreamGeometry,
  { pixels, first, id = 'a' }: { readonly pixels: Uint8Array; readonly first: number; readonly id?: string },
): PixelClip {
  const size = height * width * 3;
  const before = pixels.slice(Math.max(0, first - contextFrames) * size, first * size);
  const data = pixels.slice(first * size, (first + frames) * size);
  return {
    clipId: `${id}/${first}`,
    frames,
    height,
    width,
    data,
    stream: { id, segment: 0, firstFrame: first, before },
  };
}

async function plainSteps(
  stages: EngineStages,
  { steps, stepSize }: StreamGeometry,
  { pixels, end }: { readonly pixels: Uint8Array; readonly end: number },
) {
  const size = pixels.length / 60;
  const part = { pixels: pixels.subarray(0, end * size), frames: end, left: 'padded' } as const;
  const { features, embeddings } = (await stages.lower([part], SIGNAL))[0]!;
  return {
    features: features.subarray(-steps * stepSize),
    embeddings: embeddings.data.subarray(-steps * embeddings.size),
  };
}

function largestDifference(found: Float32Array, wanted: Float32Array): number {
  expect(found.length).toBe(wanted.length);
  return found.reduce((largest, value, i) => Math.max(largest, Math.abs(value - wanted[i]!)), 0);
}
