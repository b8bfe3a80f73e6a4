import type { Config } from '../config/index.ts';
import { findFfmpeg, probeSource } from '../ingest/index.ts';
import type { ServiceContext } from './context.ts';

/**
 * Lengths of the files among the streams, for the progress bar. A file that cannot be probed fails with its
 * reason when it runs.
 */
export async function fileDurations(
  { streams }: Config,
  env: ServiceContext['env'],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const files = streams.filter(({ kind }) => kind === 'file');
  if (files.length === 0) return new Map();
  const { path } = await findFfmpeg(env);
  const entries = await Promise.all(
    files.map(async (stream) => {
      const { streamId } = stream;
      const report = await probeSource({ ...stream, ffmpegPath: path, seconds: 0.1 }, signal).catch(
        () => undefined,
      );
      return report?.durationMs === undefined ? [] : [[streamId, report.durationMs] as const];
    }),
  );
  return new Map(entries.flat());
}
