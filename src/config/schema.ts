import { z } from 'zod';
import { eventsSchema } from './events-schema.ts';
import { choice, flag, section } from '../settings/fields.ts';
import { asFlag, settingFlags } from '../settings/flags.ts';
import { fleetSchema } from './fleet-schema.ts';
import { httpSchema } from './http-schema.ts';
import { metricsSchema } from './metrics-schema.ts';
import { engineSchema } from './engine-schema.ts';
import { mediaSchema } from './media-schema.ts';
import { modelSchema } from './model-schema.ts';
import { samplerSchema } from './sampler-schema.ts';
import { journalSchema, sinksSchema } from './sink-schema.ts';
import { defaultsSchema, streamsSchema } from './stream-schema.ts';

const instanceError = 'expected letters, digits, dots, dashes and underscores, at most 64';

/** A configuration file, as written: what a key may hold, what it is where left out, and what it means. */
export const configSchema = section(
  {
    $schema: z
      .string()
      .meta({ description: 'For editors: where the JSON Schema of this file is.' })
      .optional(),
    instance: asFlag(
      z
        .string({ error: instanceError })
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: instanceError })
        .meta({ description: 'Name of this program in events, Kafka and Postgres. Default: the host name.' }),
      '--instance <name>',
    ).optional(),
    model: modelSchema.prefault({}),
    sampler: samplerSchema.prefault({}),
    engine: engineSchema.prefault({}),
    defaults: defaultsSchema.prefault({}),
    streams: streamsSchema.default([]),
    events: eventsSchema.prefault({}),
    journal: journalSchema.prefault({}),
    media: mediaSchema.prefault({}),
    sinks: sinksSchema.prefault({}),
    fleet: fleetSchema.prefault({}),
    metrics: metricsSchema.prefault({}),
    http: httpSchema.prefault({}),
    reload: section(
      {
        watch: flag(
          'This file is read again when it has changed. SIGHUP asks for that in any case. What is wrong in it leaves the old settings in force.',
        ).default(false),
      },
      'Changes of this file while the program runs; docs/operations.md says which take effect.',
    ).prefault({}),
    log: section(
      {
        level: asFlag(
          choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], 'Least level that is written.'),
          '--log-level <level>',
        ).default('info'),
      },
      'Log lines on standard error.',
    ).prefault({}),
  },
  'Configuration of actionstream.',
);

/** A valid file with every default filled in; units resolved to milliseconds and bytes. */
export type Settings = z.output<typeof configSchema>;

/** Every setting that a command may take as a flag. */
export const SETTING_FLAGS = settingFlags(configSchema);

/** The part of JSON Schema that our fields come out as. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly writeOnly?: boolean;
}

/** JSON Schema of one setting, without its default. */
export function jsonSchemaOf(field: z.ZodType): JsonSchema {
  return z.toJSONSchema(field, { io: 'input' }) as JsonSchema;
}

/** JSON Schema 2020-12 of a configuration file, for editors, documents and our own walks over settings. */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
}

/**
 * JSON Schema of a stream that a request or a definition of a fleet brings: without what names a file of the
 * machine that runs it, since whoever writes it could have any file sent to an address of their choice.
 */
export function streamJsonSchema(): JsonSchema {
  const { items } = configJsonSchema().properties?.['streams'] ?? {};
  const known = Object.entries(items?.properties ?? {}).filter(([key]) => key !== 'password_file');
  return { ...items, properties: Object.fromEntries(known) };
}
