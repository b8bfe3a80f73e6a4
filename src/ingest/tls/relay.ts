import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

import { messageOf } from '../../core/errors.ts';
import type { SecureTarget, SourceAddress } from '../source-address.ts';
import { openHttpRelay } from './http-relay.ts';
import { createTrustedConnector, type TrustedConnector } from './trust.ts';

/** Marks what went wrong between this program and a source inside TLS, among the messages of ffmpeg. */
export const TLS_MARK = 'actionstream-tls: ';

export interface TlsRelay extends AsyncDisposable {
  /** What ffmpeg opens in place of the source's own address. */
  readonly address: SourceAddress;
}

/**
 * Stands between ffmpeg and a source inside TLS: ffmpeg speaks plain text to a port of the loopback,
 * this program speaks TLS to the source and checks its certificate, before the first byte goes out.
 * Why not ffmpeg: ADR 0028. One relay a life of ffmpeg. A source without TLS is handed back as it is.
 */
export async function openTlsRelay(
  address: SourceAddress,
  onProblem: (message: string) => void,
): Promise<TlsRelay> {
  const { secure } = address;
  if (!secure) return { address, [Symbol.asyncDispose]: () => Promise.resolve() };
  const problem = (error: unknown): void => {
    onProblem(`${TLS_MARK}${messageOf(error)}`);
  };
  const connector = createTrustedConnector(secure.trust);
  const relay = await (secure.plain === 'http'
    ? openHttpRelay(secure, connector, problem)
    : openRawRelay(secure, connector, problem));
  const own = `127.0.0.1:${relay.port}`;
  const url = address.url.replace(
    /^[a-z]+:\/\/((?:[^/?#]*@)?)[^/?#]*/,
    (_, user: string) => `${secure.plain}://${user}${own}`,
  );
  const unveil = (text: string): string =>
    text.replaceAll(url, address.url).replaceAll(own, `${secure.host}:${secure.port}`);
  return {
    address: { ...address, url, redact: (text) => address.redact(unveil(text)) },
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}

async function openRawRelay(
  { host, port }: SecureTarget,
  connector: TrustedConnector,
  problem: (error: unknown) => void,
): Promise<AsyncDisposable & { readonly port: number }> {
  const ended = new AbortController();
  const server = createServer({ allowHalfOpen: false }, (local) => {
    void join(local);
  });
  const locals = new Set<Socket>();

  async function join(local: Socket): Promise<void> {
    locals.add(local);
    const gone = new AbortController();
    local.once('close', () => {
      locals.delete(local);
      gone.abort();
    });
    local.on('error', () => local.destroy());
    try {
      const remote = await connector.connect(host, port, AbortSignal.any([ended.signal, gone.signal]));
      remote.on('error', (error) => {
        if (!gone.signal.aborted) problem(error);
        local.destroy();
      });
      remote.once('close', () => {
        local.destroySoon();
      });
      local.once('close', () => remote.destroy());
      local.pipe(remote);
      remote.pipe(local);
    } catch (error) {
      if (!gone.signal.aborted && !ended.signal.aborted) problem(error);
      local.destroy();
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      const closed = once(server, 'close');
      server.close();
      for (const local of locals) local.destroy();
      await closed;
    },
  };
}
