import { configFromSources, loadConfig, withChanged, type WrittenStream } from '../../config/index.ts';
import { fleetSchema } from '../../config/fleet-schema.ts';
import { ActionstreamError } from '../../core/errors.ts';
import { redactUrl } from '../../core/redact.ts';
import { DefinitionTable, type PlacedDefinition } from '../../fleet/definitions.ts';
import {
  DefinitionWriter,
  ensureDefinitionTopic,
  readDefinitions,
  type DefinitionTopic,
} from '../../sink/kafka/definition-topic.ts';
import type { AppContext } from '../context.ts';

/** Where the definitions of a fleet are: a configuration file, or brokers and a topic in its place. */
export interface FleetPlaces {
  readonly configPath?: string;
  readonly kafka?: string;
  readonly topic?: string;
}

/** A stream of the fleet without its secrets. */
export interface ListedStream {
  readonly partition: number;
  readonly definition: WrittenStream;
}

/** `streams ls`: by id. @throws KAFKA_UNREACHABLE, KAFKA_REFUSED */
export async function listStreams(
  places: FleetPlaces,
  context: AppContext,
): Promise<readonly ListedStream[]> {
  const table = await readTable(topicOf(places, context), context.signal);
  return table.all.map(shown);
}

/**
 * `streams add`. The definition is checked as a stream of a configuration file is; the worker that runs it
 * holds it against its model.
 * @throws CONFIG_INVALID naming each field; USAGE where the fleet has a stream of that id
 */
export async function addStream(
  definition: WrittenStream,
  places: FleetPlaces,
  context: AppContext,
): Promise<ListedStream> {
  check(definition, context);
  return write(places, context, (table) => {
    if (table.of(definition.id))
      throw new ActionstreamError(
        'USAGE',
        `the fleet has a stream ${definition.id} already; choose another id, or remove that one first`,
      );
    return definition;
  });
}

/** `streams pause | resume`. @throws USAGE where the fleet has no such stream */
export async function pauseStream(
  { streamId, paused }: { readonly streamId: string; readonly paused: boolean },
  places: FleetPlaces,
  context: AppContext,
): Promise<ListedStream> {
  return write(places, context, (table) => {
    const before = { added: [demand(table, streamId)], changed: [], removed: [] };
    return withChanged(before, streamId, { paused }).added[0] ?? { id: streamId };
  });
}

/** `streams rm`. @throws USAGE where the fleet has no such stream */
export async function removeStream(
  streamId: string,
  places: FleetPlaces,
  { env, signal }: AppContext,
): Promise<ListedStream> {
  const topic = topicOf(places, { env });
  const table = await readTable(topic, signal);
  demand(table, streamId);
  await using writer = new DefinitionWriter(topic);
  await writer.write(streamId, undefined, signal);
  return shown(table.of(streamId) ?? { partition: 0, definition: { id: streamId } });
}

async function write(
  places: FleetPlaces,
  { env, signal }: AppContext,
  definitionOf: (table: DefinitionTable) => WrittenStream,
): Promise<ListedStream> {
  const topic = topicOf(places, { env });
  const definition = definitionOf(await readTable(topic, signal));
  await using writer = new DefinitionWriter(topic);
  await writer.write(definition.id, definition, signal);
  const placed = (await readTable(topic, signal)).of(definition.id);
  return shown(placed ?? { partition: 0, definition });
}

async function readTable(topic: DefinitionTopic, signal: AbortSignal): Promise<DefinitionTable> {
  await ensureDefinitionTopic(topic, signal);
  const table = new DefinitionTable();
  for await (const message of readDefinitions(topic, 'now', signal)) table.apply(message);
  if (signal.aborted) throw new ActionstreamError('ABORTED', 'interrupted while Kafka was read');
  return table;
}

/** @throws USAGE */
function demand(table: DefinitionTable, streamId: string): WrittenStream {
  const definition = table.of(streamId)?.definition;
  if (definition) return definition;
  const known = table.all.map((one) => one.definition.id);
  const names = known.length === 0 ? 'it has none' : `it has ${known.slice(0, 20).join(', ')}`;
  throw new ActionstreamError('USAGE', `the fleet has no stream ${streamId}; ${names}`);
}

/** @throws CONFIG_INVALID */
function check(definition: WrittenStream, { env }: AppContext): void {
  if (Object.hasOwn(definition, 'password_file'))
    throw new ActionstreamError(
      'USAGE',
      'password_file would name a file of the worker; give --password-file here, and the password itself is kept',
    );
  configFromSources([], { env, stored: { added: [definition], changed: [], removed: [] } });
}

/** @throws USAGE where nothing names a broker */
function topicOf(
  { configPath, kafka: brokers, topic }: FleetPlaces,
  { env }: Pick<AppContext, 'env'>,
): DefinitionTopic {
  // Its own streams, if it has any, are none of the fleet's.
  const overrides = { streams: [], fleet: { name: 'any' } };
  const config = configPath === undefined ? undefined : loadConfig(configPath, { env, overrides });
  const kafka =
    brokers === undefined ? config?.sinks.kafka : { brokers: brokers.split(','), instance: 'cli' };
  if (!kafka)
    throw new ActionstreamError('USAGE', 'no broker: name a configuration file with sinks.kafka, or --kafka');
  const { topic: configured, partitions, replicationFactor } = config?.fleet ?? fleetSchema.parse({});
  return { partitions, replicationFactor, topic: topic ?? configured, kafka };
}

function shown({ partition, definition }: PlacedDefinition): ListedStream {
  const { url, password } = definition;
  return {
    partition,
    definition: {
      ...definition,
      ...(typeof url === 'string' && { url: redactUrl(url) }),
      ...(password !== undefined && { password: '***' }),
    },
  };
}
