import { v5 as uuidV5 } from 'uuid';
import { toRfc3339 } from '../core/time.ts';

/** Never to be changed: ids of episodes already published depend on it. */
const NAMESPACE = 'a9d436f9-bb97-410e-99fe-ea28d84dea96';

/** UUIDv5 of stream, label, onset and, for a file, its run: the same input gives the same id. */
export function episodeIdOf(
  { streamId, runId }: { readonly streamId: string; readonly runId?: string },
  label: string,
  onsetMs: number,
): string {
  const parts = [streamId, label, toRfc3339(onsetMs), ...(runId === undefined ? [] : [runId])];
  return uuidV5(parts.join('\n'), NAMESPACE);
}
