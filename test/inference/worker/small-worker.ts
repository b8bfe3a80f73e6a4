import { existsSync, readFileSync } from 'node:fs';
import { rm, watch } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Logger } from '../../../src/core/logger.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { InferenceEngine, PixelClip } from '../../../src/inference/engine.ts';
import type { NetworkOptions } from '../../../src/inference/network/graph.ts';
import type { EngineKind } from '../../../src/inference/engine-choice.ts';
import type { EngineSpec } from '../../../src/inference/worker/spec.ts';
import { createWorkerEngine } from '../../../src/inference/worker/worker-engine.ts';
import { builtFile } from '../../support/built.ts';
import { afterEach, beforeEach, expect } from 'vitest';
import { createDirectory } from '../../support/temporary-directory.ts';

export const TINY = { widthMultiplier: 0.07, frames: 4, height: 32, width: 32, classes: 3 } as const;

export const NONE = { kind: 'none' } as const;

export const UNRELIABLE = new URL('../../fixtures/inference-worker/unreliable-entry.mjs', import.meta.url);

/** A folder of each test's own; at the end of the test no process of the engine is left. */
export function ownFolder(): () => string {
  let folder = '';
  beforeEach(async () => {
    folder = await createDirectory();
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
    expect(process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap')).toEqual([]);
  });
  return () => folder;
}

interface OpenOptions {
  readonly kind?: EngineKind;
  readonly entryUrl?: URL;
  readonly network?: Partial<NetworkOptions>;
  readonly logger?: Logger;
  readonly clipTimeoutMs?: number;
}

export function openWorker({
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

export function entry(): URL {
  return builtFile('inference/worker/entry.js');
}

export function specOf(engine: EngineKind, network: Partial<NetworkOptions> = TINY): EngineSpec {
  return { engine, model: { kind: 'untrained', network, seed: 5 }, threads: 1 };
}

/** A picture that moves. */
export function clipOf(
  clipId: string,
  { frames, height, width }: { frames: number; height: number; width: number } = TINY,
): PixelClip {
  const data = Uint8Array.from({ length: frames * height * width * 3 }, (_, i) => (i * 37) ^ (i >> 7));
  return { clipId, frames, height, width, data };
}

/** Resolves when the file is made, which the fixture does as it begins its deed. */
export async function fileAppears(path: string): Promise<void> {
  for await (const { filename } of watch(dirname(path))) {
    if (filename === basename(path)) return;
  }
}

/** A process that ended but that nobody has asked about yet (a zombie) does not run. */
export function isRunning(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  if (existsSync(stat)) return !readFileSync(stat, 'utf8').includes(') Z ');
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export function listening(errors: object[]): Logger {
  return { ...silentLogger, error: (fields) => errors.push(fields) };
}
