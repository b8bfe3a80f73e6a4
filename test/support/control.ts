import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { checkAgainst } from '../../src/app/check-config.ts';
import { configSource, type RunRequest } from '../../src/app/run-request.ts';
import { StreamControl } from '../../src/app/stream-control.ts';
import type { StreamSettings } from '../../src/config/index.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { EngineInfo } from '../../src/inference/engine.ts';
import { StreamSet } from '../../src/pipeline/stream-set.ts';
import { idleJob } from './idle-job.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export const ENGINE = {
  ...{ engine: 'null', device: 'cpu', notices: [], warmupMs: 0, sampler: { kind: 'none' } },
  model: { id: 'tiny', version: '1.0.0', digest: `sha256:${'0'.repeat(64)}` },
  ...{ labels: ['background', 'walk'], backgroundId: 0 },
  ...{ frames: 16, height: 64, width: 64, clip: { fps: 15, stride: 8 } },
} as const satisfies EngineInfo;

export interface Controlled {
  readonly control: StreamControl;
  readonly set: StreamSet<StreamSettings>;
  /** Ids of the streams whose jobs were built, in that order. */
  readonly built: readonly string[];
  /** The configuration file. */
  readonly file: string;
  /** Where changes are kept. */
  readonly store: string;
  /** Ends the set, as a signal does. */
  readonly stop: () => Promise<void>;
}

/** The control of a run whose streams have no source. Ends with the test. */
export async function controlStreams(
  settings: object,
  { dir, request = {} }: { readonly dir?: string; readonly request?: Partial<RunRequest> } = {},
): Promise<Controlled> {
  const directory = dir ?? (await temporaryDirectory());
  const journal = path.join(directory, 'journal');
  await mkdir(journal, { recursive: true });
  const file = path.join(directory, `site-${randomUUID()}.yaml`);
  await writeFile(file, stringify({ journal: { dir: journal }, ...settings }));
  const source = configSource({ configPath: file, sources: [], login: {}, flags: {}, ...request }, {});
  const text = source.readText();
  const config = source.load({ text });
  const stopping = new AbortController();
  const built: string[] = [];
  const set = new StreamSet<StreamSettings>({
    build: ({ streamId }) => {
      built.push(streamId);
      return Promise.resolve(idleJob(streamId));
    },
    ...{ signal: stopping.signal, logger: silentLogger, keepsServing: true },
  });
  await Promise.all(config.streams.map((stream) => set.put(stream)));
  const running = set.run();
  const control = new StreamControl({
    ...{ config, source, text, set, signal: stopping.signal, logger: silentLogger, ffmpegPath: 'ffmpeg' },
    check: (stream) => {
      checkAgainst(stream, ENGINE, config);
    },
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  onTestFinished(stop);
  return { control, set, built, file, store: path.join(journal, 'streams.json'), stop };
}
