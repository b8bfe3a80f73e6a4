import { arch } from 'node:os';
import { createGraphWriter } from '../graph-writer.ts';
import { loadRuntime } from '../runtime.ts';
import { BLOCKED_DOMAIN } from './blocked-activation.ts';

const CHANNELS = 64;
const PIXELS = 2;
const KNOWN_SIZES = [8, 16];

let found: Promise<number | undefined> | undefined;

/**
 * Channels that ONNX Runtime puts side by side in blocked memory on this machine (8 with AVX2, 16
 * with AVX-512), found by having it turn a frame of two pixels; undefined where it has no such
 * memory, or one that we do not know.
 */
export function findBlockSize(): Promise<number | undefined> {
  return (found ??= probe());
}

async function probe(): Promise<number | undefined> {
  if (arch() !== 'x64') return undefined;
  try {
    const { InferenceSession, Tensor } = await loadRuntime();
    const session = await InferenceSession.create(reorderGraph(), {
      executionProviders: ['cpu'],
      logSeverityLevel: 4,
    });
    const plain = Float32Array.from({ length: CHANNELS * PIXELS }, (_, i) => i);
    const { turned } = await session.run({ plain: new Tensor('float32', plain, [1, CHANNELS, 1, PIXELS]) });
    await session.release();
    const memory = turned?.data;
    if (!(memory instanceof Float32Array)) return undefined;
    return KNOWN_SIZES.find((size) => memory.every((value, place) => value === plainIndex(place, size)));
  } catch {
    // A build without these operators: plain graphs run everywhere.
    return undefined;
  }
}

function reorderGraph(): Uint8Array {
  const graph = createGraphWriter('block-size');
  const shape = [1, CHANNELS, 1, PIXELS];
  const plain = graph.input({ name: 'plain', type: 'float32', shape });
  const turned = graph.node('ReorderInput', [plain], {}, BLOCKED_DOMAIN);
  graph.output(turned, { name: 'turned', type: 'float32', shape });
  return graph.encode();
}

/** Index in [c, w] of what stands at `place` in [c/S, w, S]. */
function plainIndex(place: number, size: number): number {
  const block = Math.floor(place / (PIXELS * size));
  const pixel = Math.floor(place / size) % PIXELS;
  return (block * size + (place % size)) * PIXELS + pixel;
}
