import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { ActionEvent, ClipStats, PublishedRecord } from '../../src/core/records.ts';
import type { KafkaTopics } from '../../src/sink/kafka/options.ts';
import type { VerifyResult } from '../../src/sink/verify.ts';
import { runCli, startCli, type RunningCli } from './cli.ts';

/** Random weights whose scores move with the frame, and mean nothing; a clip takes some 20 ms. */
export const TINY = {
  model: { network: 's3d-g', width: 0.25, frames: 16, size: 64, classes: 4 },
  sampler: { kind: 'ordered', width: 0.05 },
  // A loaded machine must not change what a camera's clips keep.
  engine: { budget: { max_delta_scale: 1 } },
} as const;

/** Writes a configuration file of these settings. */
export async function writeConfig(directory: string, settings: object, name = 'run.yaml'): Promise<string> {
  const file = path.join(directory, name);
  await writeFile(file, stringify(settings));
  return file;
}

/** `sinks.kafka` with topics that nobody else uses. */
export function kafkaSettings(brokers: readonly string[], topics: KafkaTopics): object {
  return {
    brokers,
    topics: {
      action_event: topics['action.event'],
      clip_stats: topics['clip.stats'],
      stream_status: topics['stream.status'],
      dead_letter: topics.deadLetter,
    },
    create_topics: { partitions: 3 },
  };
}

const running = new Set<{ readonly cli: RunningCli; readonly args: readonly string[] }>();

/** `actionstream …`, which `endRuns` ends at the latest. */
export function startRun(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli {
  const cli = startCli(args, env);
  const run = { cli, args };
  running.add(run);
  void cli.done.then(() => running.delete(run));
  return cli;
}

/**
 * For `afterEach` or `afterAll`: a run that is still there belongs to a test
 * that failed; what it said last is shown.
 */
export async function endRuns(): Promise<void> {
  for (const { cli, args } of running) {
    cli.child.kill('SIGKILL');
    const { stderr } = await cli.done;
    process.stderr.write(`left running: actionstream ${args.join(' ')}\n${stderr.slice(-3000)}\n`);
  }
}

export type Accept = (record: PublishedRecord) => boolean;

/** The `count`-th record from now on, of a run with `--json`, that is accepted. */
export async function nextRecord(cli: RunningCli, accept: Accept, count = 1): Promise<PublishedRecord> {
  const old = cli.lines.length;
  let [index, accepted] = [0, 0];
  const line = await cli.line((text) => {
    if (index++ < old) return false;
    if (accept(JSON.parse(text) as PublishedRecord)) accepted++;
    return accepted === count;
  });
  return JSON.parse(line) as PublishedRecord;
}

/** Every record of a run with `--json` so far. */
export function recordsOf({ lines }: Pick<RunningCli, 'lines'>): readonly PublishedRecord[] {
  return lines.map((line) => JSON.parse(line) as PublishedRecord);
}

export function isClip(record: PublishedRecord): record is { type: 'clip.stats'; payload: ClipStats } {
  return record.type === 'clip.stats';
}

export function isEvent(record: PublishedRecord): record is { type: 'action.event'; payload: ActionEvent } {
  return record.type === 'action.event';
}

/** That a stream has said so for the first time. */
export function isStatus(state: string, streamId?: string): Accept {
  return ({ type, payload }) =>
    type === 'stream.status' &&
    payload.state === state &&
    payload.repeats === undefined &&
    (streamId === undefined || payload.stream_id === streamId);
}

/** SIGTERM, as an operator: how it ended. */
export function terminate(cli: RunningCli): RunningCli['done'] {
  cli.child.kill('SIGTERM');
  return cli.done;
}

/** `events verify CONFIG --json`. */
export async function verify(config: string): Promise<VerifyResult> {
  const { stdout, stderr } = await runCli(['events', 'verify', config, '--json']);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as VerifyResult;
}
