import { ActionstreamError, messageOf } from '../../core/errors.ts';
import type { KafkaConnection } from './options.ts';

/** The client's errors, by what they mean to us: one line with cause and remedy, without credentials. */
export function toKafkaError(
  error: unknown,
  { brokers }: Pick<KafkaConnection, 'brokers'>,
): ActionstreamError {
  if (error instanceof ActionstreamError) return error;
  const where = `Kafka at ${brokers.join(', ')}`;
  const { text, type } = rootOf(error);
  const refuse = (remedy: string): ActionstreamError =>
    new ActionstreamError('KAFKA_REFUSED', `${where}: ${text}; ${remedy}`, { cause: error });
  if (/SASL|authenticat/i.test(`${type} ${text}`)) {
    return refuse('check kafka.sasl: mechanism, user name and password');
  }
  if (/AUTHORIZATION_FAILED/.test(type)) {
    return refuse('give this user Write and Describe on the topics (and IdempotentWrite on the cluster)');
  }
  if (/certificate|self.signed|CERT_|unable to verify|altname/i.test(text)) {
    return refuse(
      'check kafka.tls: the authority (ca), the host name, and cert and key where brokers demand them',
    );
  }
  if (/wrong version number|SSL routines|EPROTO|packet length/i.test(text)) {
    return refuse('one side speaks TLS and the other does not: check kafka.tls and the port');
  }
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return refuse('create the topic, or set kafka.create_topics');
  }
  return new ActionstreamError(
    'KAFKA_UNREACHABLE',
    `${where}: ${text}; check kafka.brokers, the network and that the broker runs`,
    { cause: error },
  );
}

/** Was this about single records rather than the connection? Then smaller batches find the bad one. */
export function isRecordRefused(error: unknown): boolean {
  return RECORD_ERRORS.has(rootOf(error).type);
}

const RECORD_ERRORS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
]);

/** The client wraps errors in errors: the innermost one with a text says why. */
export function rootOf(error: unknown): { readonly text: string; readonly type: string } {
  let type = '';
  let text = '';
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 8; depth++) {
    if ('type' in current && typeof current.type === 'string') ({ type } = current);
    text = current.message || text;
    current = current.cause;
  }
  return { text: text || messageOf(error), type };
}
