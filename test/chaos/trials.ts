import { BROKER_TRIALS } from './broker-trials.ts';
import { CAMERA_TRIALS } from './camera-trials.ts';
import { CLOCK_TRIALS } from './clock-trials.ts';
import { DAMAGE_TRIALS } from './damage-trials.ts';
import { DISK_TRIALS } from './disk-trials.ts';
import { ENGINE_TRIALS } from './engine-trials.ts';
import { JOURNAL_TRIALS } from './journal-trials.ts';
import { KAFKA_TRIALS } from './kafka-trials.ts';
import { LOAD_TRIALS } from './load-trials.ts';
import { POSTGRES_TRIALS } from './postgres-trials.ts';
import { PROCESS_TRIALS } from './process-trials.ts';
import { SERVER_TRIALS } from './server-trials.ts';
import { SIGNAL_TRIALS } from './signal-trials.ts';
import { VOLUME_TRIALS } from './volume-trials.ts';
import { WATCH_TRIALS } from './watch-trials.ts';
import { ZONE_TRIALS } from './zone-trials.ts';
import type { NamedTrial } from './run-control.ts';

/** All trials, by the name of their file. docs/operations.md has a row for each. */
export const TRIALS = {
  broker: BROKER_TRIALS,
  camera: CAMERA_TRIALS,
  clock: CLOCK_TRIALS,
  damage: DAMAGE_TRIALS,
  disk: DISK_TRIALS,
  engine: ENGINE_TRIALS,
  journal: JOURNAL_TRIALS,
  kafka: KAFKA_TRIALS,
  load: LOAD_TRIALS,
  postgres: POSTGRES_TRIALS,
  process: PROCESS_TRIALS,
  server: SERVER_TRIALS,
  signal: SIGNAL_TRIALS,
  watch: WATCH_TRIALS,
  zone: ZONE_TRIALS,
  volume: VOLUME_TRIALS,
} as const satisfies Readonly<Record<string, readonly NamedTrial[]>>;

/**
 * By file: two parts that run side by side, each with servers of its own, so that the whole takes less than
 * half an hour.
 */
const PARTS = {
  'part-1': [
    ...(['broker', 'camera', 'clock', 'damage', 'disk', 'engine', 'journal', 'kafka'] as const),
    ...(['postgres', 'server', 'signal'] as const),
  ],
  'part-2': ['volume', 'load', 'process', 'watch', 'zone'],
} as const;

export type Part = keyof typeof PARTS;

export function trialsOf(part: Part): readonly NamedTrial[] {
  return PARTS[part].flatMap((file): readonly NamedTrial[] => TRIALS[file]);
}
