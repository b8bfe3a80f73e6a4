import { v5 as uuidV5 } from 'uuid';
import { toRfc3339 } from '../core/time.ts';

/** Never to be changed: ids of episodes already published depend on it. */
const NAMESPACE = 'a9d436f9-bb97-410e-99fe-ea28d84dea96';

/** UUIDv5 of stream, label and onset: the same input gives the same id in every run. */
export function episodeIdOf(streamId: string, label: string, onsetMs: number): string {
  return uuidV5([streamId, label, toRfc3339(onsetMs)].join('\n'), NAMESPACE);
}
