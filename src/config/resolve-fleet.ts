import type { KafkaConnection } from '../sink/kafka/options.ts';
import type { Report } from './explain-issues.ts';
import type { Sinks } from './resolve-sinks.ts';
import type { Settings } from './schema.ts';

/** The fleet that this program is a worker of, and how it reaches the brokers. */
export interface FleetSettings extends Omit<Settings['fleet'], 'name'> {
  readonly name: string;
  readonly kafka: KafkaConnection;
}

/** Undefined where it works alone, or where something is wrong that `report` was told. */
export function resolveFleet(
  { name, ...fleet }: Settings['fleet'],
  {
    sinks,
    written,
    report,
  }: {
    readonly sinks: Sinks;
    /** Ids of streams that the file or the command line declares. */
    readonly written: readonly string[];
    readonly report: Report;
  },
): FleetSettings | undefined {
  if (name === undefined) return undefined;
  if (written.length > 0)
    report({
      path: ['streams'],
      message: `of a worker of fleet ${name} come from the topic; leave them out, and add them with actionstream streams add`,
    });
  if (sinks.kafka) return { ...fleet, name, kafka: sinks.kafka };
  report({
    path: ['sinks', 'kafka'],
    message: 'is missing; a fleet shares its streams through Kafka: name its brokers',
  });
  return undefined;
}
