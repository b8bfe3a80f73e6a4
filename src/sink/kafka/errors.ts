import { ActionstreamError, messageOf, type ErrorCode } from '../../core/errors.ts';
import type { NetworkNotes } from './network-notes.ts';
import type { KafkaConnection } from './options.ts';

export interface KafkaPlace extends Pick<KafkaConnection, 'brokers'> {
  /** Of the client that failed. */
  readonly network?: NetworkNotes;
  /** What the request was about. */
  readonly topic?: string;
  /** Default: write to it. */
  readonly action?: 'write' | 'create' | 'read';
}

/** The client's errors, by what they mean to us: one line with cause and remedy, without credentials. */
export function toKafkaError(error: unknown, place: KafkaPlace): ActionstreamError {
  if (error instanceof ActionstreamError) return error;
  const root = rootOf(error);
  const { code, what, remedy } = explain(root, place);
  const where = `Kafka at ${place.brokers.join(', ')}`;
  return new ActionstreamError(code, `${where}: ${what ?? root.text}; ${remedy}`, { cause: error });
}

/** Was this about single records rather than the connection? Then smaller batches find the bad one. */
export function isRecordRefused(error: unknown): boolean {
  return RECORD_ERRORS.has(rootOf(error).type);
}

/** Did the broker answer about this topic alone? Other topics may be well. */
export function isTopicRefused(error: unknown): boolean {
  return TOPIC_ERRORS.has(rootOf(error).type) || isRecordRefused(error);
}

/** May the refusal be about some partitions of the topic only? */
export function isPartitionRefused(error: unknown): boolean {
  return PARTITION_ERRORS.has(rootOf(error).type);
}

export function isTopicMissing(error: unknown): boolean {
  return rootOf(error).type === 'UNKNOWN_TOPIC_OR_PARTITION';
}

const RECORD_ERRORS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
]);

const PARTITION_ERRORS = new Set([
  ...['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'LEADER_NOT_AVAILABLE'],
  ...['NOT_LEADER_FOR_PARTITION', 'REPLICA_NOT_AVAILABLE', 'KAFKA_STORAGE_ERROR', 'REQUEST_TIMED_OUT'],
]);

const TOPIC_ERRORS = new Set([
  ...PARTITION_ERRORS,
  ...['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION', 'TOPIC_AUTHORIZATION_FAILED'],
  ...['POLICY_VIOLATION', 'UNSUPPORTED_FOR_MESSAGE_FORMAT', 'CORRUPT_MESSAGE'],
  ...['INVALID_CONFIG', 'INVALID_PARTITIONS', 'INVALID_REPLICATION_FACTOR', 'TOPIC_ALREADY_EXISTS'],
]);

interface Root {
  readonly text: string;
  /** Of an answer of the broker. */
  readonly type: string;
  /** Of the socket or TLS. */
  readonly code: string;
}

/** The client wraps errors in errors: the innermost one with a text says why. */
export function rootOf(error: unknown): Root {
  let [type, text, code] = ['', '', ''];
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 8; depth++) {
    if ('type' in current && typeof current.type === 'string') ({ type } = current);
    if ('code' in current && typeof current.code === 'string') ({ code } = current);
    text = current.message || text;
    const several = 'errors' in current && Array.isArray(current.errors) ? (current.errors as unknown[]) : [];
    current = current.cause ?? several[0];
  }
  return { text: oneLine(text || messageOf(error)), type, code };
}

/** OpenSSL writes `<thread>:error:<number>:<library>:<function>:<reason>:<file>:…`: its reason says it. */
function oneLine(text: string): string {
  return text
    .replace(/\S*:?error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):[\s\S]*/i, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const DEEDS = { write: 'write to', create: 'create', read: 'read' } as const;
const RIGHTS = { write: 'Write and Describe', create: 'Create', read: 'Read and Describe' } as const;

interface Explanation {
  readonly code: ErrorCode;
  /** In place of the client's own words. */
  readonly what?: string;
  readonly remedy: string;
}

function explain(root: Root, place: KafkaPlace): Explanation {
  return (
    explainLogin(root) ??
    explainAnswer(root, place) ??
    explainTls(root, place.network) ??
    explainNetwork(root, place.network)
  );
}

function explainLogin({ type, text }: Root): Explanation | undefined {
  if (type === 'ILLEGAL_SASL_STATE')
    return refused(
      'the listener asks for no login, and sinks.kafka.sasl is set',
      'remove sasl, or name the port of a SASL listener in sinks.kafka.brokers',
    );
  if (type === 'UNSUPPORTED_SASL_MECHANISM' || /SASL \S+ mechanism is not supported/.test(text))
    return refused(undefined, 'set sinks.kafka.sasl.mechanism to one that the listener offers');
  if (/SASL|authenticat/i.test(`${type} ${text}`))
    return refused(
      undefined,
      'check sinks.kafka.sasl: username, password, and that the user exists for this mechanism',
    );
  return undefined;
}

function explainAnswer(
  { type }: Root,
  { topic = 'the topic', action = 'write' }: KafkaPlace,
): Explanation | undefined {
  switch (type) {
    case 'TOPIC_AUTHORIZATION_FAILED':
      return refused(
        `this user may not ${DEEDS[action]} ${topic}`,
        `grant it ${RIGHTS[action]} on that topic`,
      );
    case 'TOPIC_ALREADY_EXISTS':
      return refused(`${topic} exists, and this user may not see it`, 'grant it Describe on that topic');
    case 'GROUP_AUTHORIZATION_FAILED':
      return refused(
        undefined,
        'grant this user Read and Delete on consumer groups that begin with actionstream-',
      );
    case 'CLUSTER_AUTHORIZATION_FAILED':
      return refused(
        'this user may not write to any topic, nor create one',
        'grant it Write and Describe on the topics (or IdempotentWrite and Create on the cluster)',
      );
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return refused(
        `there is no topic ${topic}, or this user may not see it`,
        'create it (kafka-topics --create), grant Describe, or set sinks.kafka.create_topics',
      );
    case 'INVALID_TOPIC_EXCEPTION':
      return refused(`${topic} is no valid topic name`, 'correct sinks.kafka.topics');
    case 'NOT_ENOUGH_REPLICAS':
    case 'NOT_ENOUGH_REPLICAS_AFTER_APPEND':
      return unavailable(
        `${topic} has fewer in-sync replicas than its min.insync.replicas`,
        'start the missing brokers, or lower min.insync.replicas of the topic',
      );
    case 'INVALID_REPLICATION_FACTOR':
      return refused(
        `${topic} cannot have more replicas than there are brokers`,
        'lower sinks.kafka.create_topics.replication_factor, or start more brokers',
      );
    case 'LEADER_NOT_AVAILABLE':
    case 'NOT_LEADER_FOR_PARTITION':
    case 'REPLICA_NOT_AVAILABLE':
      return unavailable(`a partition of ${topic} has no leader`, 'start the brokers that hold its replicas');
    case 'KAFKA_STORAGE_ERROR':
      return unavailable(`the broker cannot store ${topic}`, 'check the disk of the broker and its log');
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return refused(
        `${topic} takes no record of that size`,
        'raise max.message.bytes of the topic, or lower sinks.kafka.max_record_size',
      );
    case 'POLICY_VIOLATION':
      return refused(`a policy of the cluster forbids this for ${topic}`, 'ask who runs the cluster');
    default:
      return undefined;
  }
}

function explainTls({ code, text }: Root, network: NetworkNotes | undefined): Explanation | undefined {
  const said = `${code} ${text}`;
  if (/ALTNAME_INVALID/.test(said))
    return refused(
      undefined,
      'set sinks.kafka.tls.server_name to a name in the certificate, or brokers to that name',
    );
  if (/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/.test(said))
    return refused(undefined, "renew the broker's certificate, or correct the clock of this machine");
  if (
    /alert (number (4[2-9]|116)|.*certificate)|CERTIFICATE_REQUIRED|ALERT_(BAD|UNKNOWN|UNSUPPORTED)|unknown ca/i.test(
      said,
    )
  )
    return refused(
      `the broker does not accept our certificate (${text})`,
      'set sinks.kafka.tls.cert_file and key_file to a client certificate that it trusts',
    );
  if (/self.signed|UNABLE_TO_|unable to (get|verify)|certificate/i.test(said))
    return refused(undefined, 'set sinks.kafka.tls.ca_file to the authority that signed it');
  if (network?.answeredWithTls())
    return refused('this port speaks TLS', 'set sinks.kafka.tls, or name the port of a listener without TLS');
  if (/wrong version number|SSL routines|EPROTO|packet length|before secure TLS connection/i.test(said))
    return refused(
      'this port does not speak TLS',
      'remove sinks.kafka.tls, or name the port of a TLS listener',
    );
  return undefined;
}

function explainNetwork({ text }: Root, network: NetworkNotes | undefined): Explanation {
  const listener = network?.unreachableListener();
  if (listener)
    return {
      code: 'KAFKA_UNREACHABLE',
      what: `it answers, and names ${listener.address} for its broker, which cannot be reached (${listener.cause})`,
      remedy: "correct advertised.listeners of the broker, or this machine's names and routes",
    };
  if (/closed/i.test(text))
    return {
      code: 'KAFKA_UNREACHABLE',
      remedy:
        'the broker hangs up: check that sinks.kafka.tls and sasl are what this port expects, and the log of the broker',
    };
  return {
    code: 'KAFKA_UNREACHABLE',
    // What the client says of a connection that opened and brought no answer in time.
    ...(text === 'Broker not connected' && { what: 'no broker answers' }),
    remedy: 'check sinks.kafka.brokers, the network and that the broker runs',
  };
}

function refused(what: string | undefined, remedy: string): Explanation {
  return { code: 'KAFKA_REFUSED', remedy, ...(what !== undefined && { what }) };
}

function unavailable(what: string, remedy: string): Explanation {
  return { code: 'KAFKA_UNAVAILABLE', what, remedy };
}
