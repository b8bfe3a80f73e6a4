import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { inject } from 'vitest';
import type { ActionEvent } from '../../src/core/records.ts';
import type { KafkaTopics } from '../../src/sink/kafka/options.ts';
import { jsonLines, runCli, type RunningCli } from './cli.ts';
import { temporaryDatabase, uniqueTopics } from './names.ts';
import { kafkaSettings, startRun, writeConfig } from './runs.ts';
import { psql } from './strangers.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/**
 * An engine that costs nothing, a clip a second, and always something to lose: an episode begins every 3 s.
 */
const LIGHT = {
  model: { network: 's3d-g', width: 0.125, frames: 4, size: 32, classes: 3 },
  engine: { kind: 'null', processes: 1 },
  // No clip is dropped where the machine is busy for a while.
  defaults: { window: { fps: 5, stride: 5 }, queue_clips: 200, reconnect: { first: '200ms', max: '1s' } },
  events: { on: 0.1, off: 0.05, min_duration: '0s', max_duration: '3s', update_interval: '1s' },
} as const;

/** Brokers take no shorter one by default. */
export const SESSION_MS = 6000;

export interface FleetWorkerRun {
  readonly instance: string;
  readonly config: string;
  readonly journal: string;
  readonly run: RunningCli;
}

export interface FleetSite {
  readonly topic: string;
  readonly brokers: readonly string[];
  readonly topics: KafkaTopics;
  readonly databaseUrl: string;
  /** Starts a worker, or the worker of that name again. */
  worker(instance: string): Promise<FleetWorkerRun>;
  /** `actionstream streams …`: its lines. */
  streams(...args: readonly string[]): Promise<readonly unknown[]>;
}

/** A fleet of its own, with its topics and its database. They go with the test. */
export async function startFleet({ more = {} }: { readonly more?: object } = {}): Promise<FleetSite> {
  const directory = await temporaryDirectory();
  const name = `test-${randomUUID().slice(0, 8)}`;
  const [brokers, topics] = [inject('kafkaBrokers'), uniqueTopics()];
  const topic = `${name}.stream.definition.v1`;
  const databaseUrl = await temporaryDatabase();
  const settings = (instance: string): object => ({
    ...LIGHT,
    instance,
    fleet: { name, topic, session_timeout: `${SESSION_MS}ms` },
    http: { port: 0 },
    journal: { dir: path.join(directory, instance) },
    sinks: { kafka: kafkaSettings(brokers, topics), postgres: { url: databaseUrl } },
    ...more,
  });
  return {
    ...{ topic, brokers, topics, databaseUrl },
    async worker(instance) {
      const config = await writeConfig(directory, settings(instance), `${instance}.yaml`);
      return { instance, config, journal: path.join(directory, instance), run: startRun(['run', config]) };
    },
    async streams(...args) {
      const config = await writeConfig(directory, settings('cli'), 'cli.yaml');
      const { code, stdout, stderr } = await runCli(['streams', ...args, config, '--json']);
      if (code !== 0) throw new Error(stderr);
      return jsonLines(stdout);
    },
  };
}

/** Base address of the API of a worker, once it serves. */
export async function apiOf({ run }: FleetWorkerRun): Promise<string> {
  const log = await run.said(/"url":"http:[^"]+"/);
  return /"url":"(http:[^"]+)"/.exec(log)?.[1] ?? '';
}

export interface Clip {
  readonly stream: string;
  readonly instance: string;
  readonly sequence: number;
  /** Event time, ms since 1970. */
  readonly startMs: number;
  readonly endMs: number;
}

/** Delivered clips in the order of their time. */
export function clipsIn(databaseUrl: string): Promise<readonly Clip[]> {
  return psql<Clip>(
    databaseUrl,
    `SELECT stream_id AS stream, pipeline_instance AS instance, clip_seq AS sequence,
            extract(epoch FROM clip_start) * 1000 AS "startMs", extract(epoch FROM clip_end) * 1000 AS "endMs"
       FROM actionstream.clip_stats ORDER BY clip_start, stream_id`,
  );
}

export interface Episode {
  readonly id: string;
  readonly stream: string;
  readonly state: string;
  readonly reason: string | null;
  readonly sequence: number;
  readonly epoch: number;
}

export function episodesIn(databaseUrl: string): Promise<readonly Episode[]> {
  return psql<Episode>(
    databaseUrl,
    `SELECT episode_id::text AS id, stream_id AS stream, state, end_reason AS reason, sequence, writer_epoch AS epoch
       FROM actionstream.action_events ORDER BY started_at`,
  );
}

/** Last event of each episode by a rule. */
export function newestOf(
  events: readonly ActionEvent[],
  supersedes: (next: ActionEvent, held: ActionEvent) => boolean,
): ReadonlyMap<string, ActionEvent> {
  const newest = new Map<string, ActionEvent>();
  for (const event of events) {
    const held = newest.get(event.episode_id);
    if (!held || supersedes(event, held)) newest.set(event.episode_id, event);
  }
  return newest;
}

/** Which worker's clips of each stream are the newest. */
export function ownersIn(clips: readonly Clip[]): ReadonlyMap<string, string> {
  return new Map(clips.map(({ stream, instance }) => [stream, instance]));
}
