import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { KafkaSinkOptions } from '../../../src/sink/kafka/options.ts';
import { createKafkaSink } from '../../../src/sink/kafka/kafka-sink.ts';
import { freePort } from '../../../tools/local/free-port.ts';
import { startLocalKafka, type LocalKafka } from '../../../tools/local/kafka.ts';
import { stored } from '../../contract/event-sink.contract.ts';
import { createAuthority, type Authority } from '../../support/certificates.ts';
import { ROOT } from '../../support/cli.ts';
import { uniqueTopics } from '../../support/names.ts';
import { actionEvent } from '../../support/records.ts';
import { kcat } from '../../support/strangers.ts';
import { fileDirectory } from '../../support/temporary-directory.ts';

const never = new AbortController().signal;
const camera = { username: 'camera', password: 'Geheim-42' };
const scram = { mechanism: 'scram-sha-512', ...camera } as const;
const createTopics = { partitions: 1, replicationFactor: 1 };
let authority: Authority;
let stranger: Authority;
let kafka: LocalKafka;
const [own, elsewhere] = [fileDirectory(), fileDirectory()];

beforeAll(async () => {
  [authority, stranger] = [createAuthority(own()), createAuthority(elsewhere())];
  const keystore = (name: string, options?: Parameters<Authority['issue']>[1]) => ({
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': authority.issue(name, options).keyAndChainFile,
  });
  kafka = await startLocalKafka({
    cacheDir: path.join(ROOT, '.cache'),
    users: { camera: camera.password },
    proxied: { listenPort: await freePort(), advertisedPort: await freePort() },
    listeners: {
      LOGIN: { protocol: 'SASL_PLAINTEXT' },
      BOTH: { protocol: 'SASL_SSL', properties: keystore('both') },
      TLS: { protocol: 'SSL', properties: keystore('tls') },
      EXPIRED: { protocol: 'SSL', properties: keystore('expired', { expired: true }) },
      OTHER: { protocol: 'SSL', properties: keystore('other', { subjectAltName: 'DNS:kafka.example' }) },
      MUTUAL: {
        protocol: 'SSL',
        properties: {
          ...keystore('mutual'),
          'ssl.client.auth': 'required',
          'ssl.truststore.type': 'PEM',
          'ssl.truststore.location': authority.caFile,
        },
      },
    },
  });
});
afterAll(() => kafka.stop());

test.each<{ readonly way: string; readonly options: () => Partial<KafkaSinkOptions> }>([
  {
    way: 'SCRAM-SHA-256',
    options: () => ({ ...at('LOGIN'), sasl: { ...scram, mechanism: 'scram-sha-256' } }),
  },
  { way: 'TLS', options: () => ({ ...at('TLS'), tls: { ca: authority.ca } }) },
  {
    way: 'TLS and SCRAM-SHA-512',
    options: () => ({ ...at('BOTH'), tls: { ca: authority.ca }, sasl: scram }),
  },
  {
    way: 'a client certificate',
    options: () => {
      const { key, cert } = authority.issue('client');
      return { ...at('MUTUAL'), tls: { ca: authority.ca, key, cert } };
    },
  },
  {
    way: 'the name that the certificate carries',
    options: () => ({ ...at('OTHER'), tls: { ca: authority.ca, servername: 'kafka.example' } }),
  },
])('a record arrives through $way', async ({ options }) => {
  const topics = uniqueTopics();
  await using sink = createKafkaSink({ ...connection(), topics, createTopics, ...options() });
  await sink.open(never);

  await sink.write(stored([actionEvent()]), never);

  expect(await kcat(kafka.brokers, topics['action.event'])).toHaveLength(1);
});

const REFUSALS: readonly {
  readonly what: string;
  readonly options: () => Partial<KafkaSinkOptions>;
  readonly code?: 'KAFKA_UNREACHABLE';
  readonly says: RegExp;
}[] = [
  {
    what: 'a wrong password',
    options: () => ({ ...at('LOGIN'), sasl: { ...scram, password: 'Geheim-43' } }),
    says: /check sinks\.kafka\.sasl: username, password/,
  },
  {
    what: 'an unknown user',
    options: () => ({ ...at('LOGIN'), sasl: { ...scram, username: 'nobody' } }),
    says: /check sinks\.kafka\.sasl: username, password/,
  },
  {
    what: 'a mechanism that the listener does not offer',
    options: () => ({ ...at('LOGIN'), sasl: { ...camera, mechanism: 'plain' } }),
    says: /set sinks\.kafka\.sasl\.mechanism to one that the listener offers/,
  },
  {
    what: 'a login where none is asked for',
    options: () => ({ sasl: scram }),
    says: /asks for no login, and sinks\.kafka\.sasl is set; remove sasl/,
  },
  {
    what: 'no login where one is asked for',
    options: () => at('LOGIN'),
    ...{
      code: 'KAFKA_UNREACHABLE',
      says: /hangs up: check that sinks\.kafka\.tls and sasl are what this port/,
    },
  },
  {
    what: 'an authority that we do not know',
    options: () => ({ ...at('TLS'), tls: true }),
    says: /set sinks\.kafka\.tls\.ca_file to the authority that signed it/,
  },
  {
    what: 'another authority',
    options: () => ({ ...at('TLS'), tls: { ca: stranger.ca } }),
    says: /set sinks\.kafka\.tls\.ca_file to the authority that signed it/,
  },
  {
    what: 'a certificate for another host',
    options: () => ({ ...at('OTHER'), tls: { ca: authority.ca } }),
    says: /set sinks\.kafka\.tls\.server_name to a name in the certificate/,
  },
  {
    what: 'a certificate that has ended',
    options: () => ({ ...at('EXPIRED'), tls: { ca: authority.ca } }),
    says: /renew the broker's certificate, or correct the clock/,
  },
  {
    what: 'no client certificate where one is asked for',
    options: () => ({ ...at('MUTUAL'), tls: { ca: authority.ca } }),
    says: /set sinks\.kafka\.tls\.cert_file and key_file to a client certificate that it trusts/,
  },
  {
    what: 'plain text to a TLS port',
    options: () => at('TLS'),
    says: /this port speaks TLS; set sinks\.kafka\.tls/,
  },
  {
    what: 'TLS to a plain port',
    options: () => ({ tls: true }),
    says: /this port does not speak TLS; remove sinks\.kafka\.tls/,
  },
  {
    what: 'a broker that names an address where nobody listens',
    options: () => ({ brokers: [kafka.proxied] }),
    code: 'KAFKA_UNREACHABLE',
    says: /names 127\.0\.0\.1:\d+ for its broker, which cannot be reached \(ECONNREFUSED\); correct advertised\.listeners/,
  },
];

test.each(REFUSALS)('$what is one sentence with the setting to change', async ({ options, code, says }) => {
  const topics = uniqueTopics();
  await using sink = createKafkaSink({ ...connection(), topics, createTopics, ...options() });

  const error: unknown = await sink.open(never).catch((reason: unknown) => reason);

  expect(error).toMatchObject({ code: code ?? 'KAFKA_REFUSED' });
  expect(String(error)).toMatch(says);
  expect(String(error)).toContain('Kafka at 127.0.0.1:');
  expect(String(error)).not.toMatch(/Geheim|\n/);
});

test('a port that nobody answers on, and one that says nothing, are unreachable', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as { readonly port: number };
  await using nobody = createKafkaSink({ ...connection(), brokers: [`127.0.0.1:${await freePort()}`] });
  await using mute = createKafkaSink({
    ...{ ...connection(), brokers: [`127.0.0.1:${port}`], connectionTimeoutMs: 500, requestTimeoutMs: 500 },
  });

  for (const sink of [nobody, mute]) {
    await expect(sink.open(never)).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE', retryable: true });
    await expect(sink.open(never)).rejects.toThrow(
      /check sinks\.kafka\.brokers, the network and that the broker/,
    );
  }
});

function connection() {
  return { brokers: kafka.brokers, instance: 'dock' };
}

function at(listener: string): Pick<KafkaSinkOptions, 'brokers'> {
  return { brokers: [kafka.listeners[listener] ?? ''] };
}
