import type { ConnectionOptions } from 'node:tls';
import type { RecordType } from '../../core/records.ts';

type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: 'oauthbearer';
      /** Called for every new connection. */
      readonly token: () => Promise<string>;
    };

/** How to reach the brokers; files are read by whoever makes this. */
export interface KafkaConnection {
  readonly brokers: readonly string[];
  /** Client id is `actionstream-<instance>`. */
  readonly instance: string;
  /** true: TLS with the system's authorities. */
  readonly tls?:
    | boolean
    | Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'>;
  readonly sasl?: KafkaSasl;
  /** Default 10 s. */
  readonly connectionTimeoutMs?: number;
  /** How long one request may take before it is sent again. Default 10 s. */
  readonly requestTimeoutMs?: number;
}

export interface KafkaTopics extends Readonly<Record<RecordType, string>> {
  /** For records that Kafka can never accept. */
  readonly deadLetter: string;
}

export const DEFAULT_TOPICS: KafkaTopics = {
  'action.event': 'actionstream.action.event.v1',
  'clip.stats': 'actionstream.clip.stats.v1',
  'stream.status': 'actionstream.stream.status.v1',
  deadLetter: 'actionstream.action.event.v1.dlq',
};

export interface KafkaSinkOptions extends KafkaConnection {
  readonly topics?: Partial<KafkaTopics>;
  /** Creates missing topics at `open`; without it a missing topic is an error. */
  readonly createTopics?: { readonly partitions: number; readonly replicationFactor: number };
  /** Larger records go to the dead-letter topic, bytes before compression. Default 1 000 000. */
  readonly maxRecordBytes?: number;
}
