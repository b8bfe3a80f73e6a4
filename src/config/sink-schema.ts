import {
  choice,
  duration,
  flag,
  fraction,
  list,
  secret,
  section,
  size,
  text,
  wait,
  wholeBetween,
} from '../settings/fields.ts';
import { asFlag } from '../settings/flags.ts';

const tls = section(
  {
    enabled: flag('Whether TLS is used.').default(true),
    ca_file: text("Certificate authority, PEM. Default: the system's.").optional(),
    cert_file: text('Client certificate, PEM.').optional(),
    key_file: text('Client key, PEM.').optional(),
    key_passphrase: secret('Of the client key.').optional(),
    key_passphrase_file: text('File that holds the passphrase of the client key.').optional(),
    server_name: text(
      'Name that the certificate of the server must carry, where it is not its host.',
    ).optional(),
    insecure: flag('Accept any certificate. Anyone on the way can then read and change everything.').default(
      false,
    ),
  },
  'TLS; `{}` for the defaults. Left out: no TLS.',
);

const kafka = section(
  {
    brokers: asFlag(
      list(text('host:port'), 'Brokers to start from, host:port.').min(1, {
        error: 'expected at least one broker',
      }),
      '--kafka <brokers>',
    ),
    tls: tls.optional(),
    sasl: section(
      {
        mechanism: choice(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'], 'How to log in.'),
        username: text('Not for oauthbearer.').optional(),
        password: secret('Not for oauthbearer.').optional(),
        password_file: text('File that holds the password.').optional(),
        token_file: text(
          'oauthbearer: file that holds the token; read anew for every connection.',
        ).optional(),
      },
      'Login. Left out: none.',
    ).optional(),
    topics: section(
      {
        action_event: text('Episodes.').default('actionstream.action.event.v1'),
        clip_stats: text('Compute and best scores of each clip.').default('actionstream.clip.stats.v1'),
        stream_status: text('Streams up, down, gaps.').default('actionstream.stream.status.v1'),
        dead_letter: text('Records that Kafka can never accept.').default('actionstream.action.event.v1.dlq'),
      },
      'Names of the topics.',
    ).prefault({}),
    create_topics: section(
      {
        partitions: wholeBetween([1, 100_000], 'Partitions of a new topic.').default(6),
        replication_factor: wholeBetween([1, 100], 'Copies of each partition.').default(1),
      },
      'Create missing topics, with these; left out: a missing topic is an error.',
    ).optional(),
    connection_timeout: wait('100ms', 'Longest wait for a broker.').prefault('10s'),
    request_timeout: wait('100ms', 'After this a request is sent again.').prefault('10s'),
    max_record_size: size(['1KB', '1GB'], 'Larger records go to the dead-letter topic.').prefault('1MB'),
  },
  'Events to Apache Kafka.',
);

const postgres = section(
  {
    url: asFlag(
      text('postgres://user@host:port/database. Default: the variable DATABASE_URL.'),
      '--postgres <url>',
    ).optional(),
    password: secret('Where the URL does not carry it.').optional(),
    password_file: text('File that holds the password.').optional(),
    tls: tls.optional(),
    auto_migrate: flag('Bring an older schema up to date at start; else an older one is an error.').default(
      true,
    ),
    connect_timeout: wait('100ms', 'Longest wait for the server.').prefault('10s'),
    statement_timeout: wait('100ms', 'Longest run of a statement.').prefault('30s'),
    retention: section(
      {
        events: duration('Age after which events go, by whole months.').optional(),
        clip_stats: duration('Age after which clip statistics go, by whole days.').optional(),
        status: duration('Age after which stream status and gaps go.').optional(),
        dead_letters: duration('Age after which refused records go.').optional(),
      },
      'What the program deletes by itself, every six hours. What has no age here is kept. The user must own the schema.',
    ).optional(),
  },
  'Events to PostgreSQL.',
);

const ndjson = section(
  { path: text('File to append to; `-`: standard output.').default('-') },
  'Events as lines of JSON.',
);

export const sinksSchema = section(
  { kafka: kafka.optional(), postgres: postgres.optional(), ndjson: ndjson.optional() },
  'Where events go. Each sink named here gets all of them, on its own.',
);

export const journalSchema = section(
  {
    dir: asFlag(text('Folder on a local disk; created where missing.'), '--journal <dir>').default(
      'actionstream-data/journal',
    ),
    max_size: size(
      ['16KiB', '1024TiB'],
      'Bytes on disk. When full, clip statistics are given up first.',
    ).prefault('1GiB'),
    // Whoever opens, checks or mends the journal reads a file whole.
    segment_size: size(
      ['4KiB', '64MiB'],
      'A new file begins after so many bytes. Default: 16MiB, at most a quarter of `max_size`.',
    ).optional(),
    shed_at: fraction('Share of `max_size` from which new clip statistics are refused.').default(0.8),
    retain: duration(
      'Delivered records are deleted after this even where there is room. Default: never.',
    ).optional(),
    fsync: flag('Survive a crash of the machine, not only of the process.').default(true),
  },
  'What makes delivery durable: every record is on disk before it goes anywhere.',
);
