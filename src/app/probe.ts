import { findFfmpeg, probeSource, type SourceReport } from '../ingest/index.ts';
import type { StreamOptions } from '../ingest/types.ts';
import type { AppContext } from './context.ts';

export interface ProbeRequest extends Pick<StreamOptions, 'url' | 'username' | 'password' | 'tls'> {
  readonly seconds?: number;
}

/** `probe`: what a source sends. */
export async function probe(request: ProbeRequest, { env, signal }: AppContext): Promise<SourceReport> {
  return probeSource({ ...request, ffmpegPath: (await findFfmpeg(env)).path }, signal);
}
