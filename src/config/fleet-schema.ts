import { section, text, wait, wholeBetween } from '../settings/fields.ts';
import { asFlag } from '../settings/flags.ts';
import { z } from 'zod';

const nameError = 'expected letters, digits, dots, dashes and underscores, at most 64';

export const fleetSchema = section(
  {
    name: asFlag(
      z
        .string({ error: nameError })
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: nameError })
        .meta({
          description:
            'Workers of one name share the streams that `topic` defines, and this program is one of them. Default: it works alone.',
        }),
      '--fleet <name>',
    ).optional(),
    capacity: asFlag(
      wholeBetween([1, 100_000], 'Streams that this worker can carry; streams are shared out in proportion.'),
      '--capacity <n>',
    ).default(100),
    topic: text('Compacted topic that defines the streams; see `actionstream streams`.').default(
      'actionstream.stream.definition.v1',
    ),
    partitions: wholeBetween(
      [1, 10_000],
      'Of a new topic. A partition is what moves between workers: several for each worker that there will ever be.',
    ).default(64),
    replication_factor: wholeBetween([1, 100], 'Copies of each partition of a new topic.').default(1),
    session_timeout: wait(
      '100ms',
      'A worker that is silent for so long has lost its streams. The broker may set a floor of 6s.',
    ).prefault('10s'),
  },
  'Several programs that share streams through Kafka (`sinks.kafka`): docs/operations.md.',
);
