import { once } from 'node:events';
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { isIPv6, type AddressInfo } from 'node:net';

import type { TrustedConnector } from './trust.ts';

interface Origin {
  readonly host: string;
  readonly port: number;
}

/** Playlists are text of a few kilobytes; more is taken for something else. */
const MAX_PLAYLIST_BYTES = 4 << 20;

export interface HttpRelay extends AsyncDisposable {
  /** On the loopback. */
  readonly port: number;
}

interface LocalServer {
  readonly server: Server;
  readonly port: number;
}

/** @returns the relay of `first`, which listens */
export async function openHttpRelay(
  first: Origin,
  connector: TrustedConnector,
  problem: (error: unknown) => void,
): Promise<HttpRelay> {
  const relays = new OriginRelays(connector, problem);
  return { port: await relays.portOf(first), [Symbol.asyncDispose]: () => relays[Symbol.asyncDispose]() };
}

/**
 * Plain HTTP servers on the loopback, one for each https origin. Redirections and playlists that lead to
 * other https origins get servers of their own, so that every segment comes over a verified connection; what
 * leads out of TLS is refused.
 */
class OriginRelays implements AsyncDisposable {
  readonly #connector: TrustedConnector;
  readonly #problem: (error: unknown) => void;
  readonly #ended = new AbortController();
  readonly #servers = new Map<string, Promise<LocalServer>>();

  constructor(connector: TrustedConnector, problem: (error: unknown) => void) {
    this.#connector = connector;
    this.#problem = problem;
  }

  async portOf({ host, port }: Origin): Promise<number> {
    const key = `${host}:${port}`;
    let opened = this.#servers.get(key);
    if (!opened) {
      opened = openServer((incoming, outgoing) => {
        this.#relay({ host, port }, incoming, outgoing).catch((error: unknown) => {
          if (!this.#ended.signal.aborted && !outgoing.destroyed) this.#problem(error);
          if (outgoing.headersSent) outgoing.destroy();
          else outgoing.writeHead(502).end();
        });
      });
      this.#servers.set(key, opened);
    }
    return (await opened).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    for (const { server } of await Promise.all(this.#servers.values())) {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    }
  }

  async #relay(origin: Origin, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController();
    outgoing.once('close', () => {
      gone.abort();
    });
    const either = AbortSignal.any([this.#ended.signal, gone.signal]);
    const socket = await this.#connector.connect(origin.host, origin.port, either);
    const name = isIPv6(origin.host) ? `[${origin.host}]` : origin.host;
    const host = origin.port === 443 ? name : `${name}:${origin.port}`;
    const upstream = request({
      createConnection: () => socket,
      method: incoming.method,
      path: incoming.url,
      headers: { ...incoming.headers, host, connection: 'close', 'accept-encoding': 'identity' },
      // Web servers of cameras are careless with headers.
      insecureHTTPParser: true,
    });
    gone.signal.addEventListener('abort', () => upstream.destroy(), { once: true });
    incoming.pipe(upstream);
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    upstream.on('error', () => outgoing.destroy());
    answer.on('error', () => outgoing.destroy());
    await this.#forward(answer, outgoing, incoming.url ?? '');
  }

  async #forward(answer: IncomingMessage, outgoing: ServerResponse, path: string): Promise<void> {
    const { statusCode = 502, statusMessage, headers: given } = answer;
    const headers = without(given, ['connection', 'keep-alive', 'transfer-encoding']);
    if (headers.location !== undefined) headers.location = await this.#localise(headers.location);
    if (!isPlaylist(path, headers['content-type'])) {
      outgoing.writeHead(statusCode, statusMessage, headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
      return;
    }
    const body = Buffer.from(await this.#localise(await textOf(answer)));
    const status = statusCode === 206 ? 200 : statusCode;
    const kept = without(headers, ['content-range']);
    outgoing.writeHead(status, { ...kept, 'content-length': body.length }).end(body);
  }

  /** Addresses inside TLS, replaced by ports of ours. @throws Error where one leads out of TLS */
  async #localise(text: string): Promise<string> {
    const out = /(?<=^|")http:\/\/([^/\s"?#]+)/m.exec(text);
    if (out)
      throw new Error(`certificate checks end at http://${out[1] ?? ''}: an https source may not lead there`);
    const origins = new Set(Array.from(text.matchAll(/https:\/\/[^/\s"?#]+/g), ([url]) => url));
    const pairs = await Promise.all(
      [...origins].map(async (url) => {
        const { hostname, port } = new URL(url);
        const host = hostname.replace(/^\[|\]$/g, '');
        return [url, `http://127.0.0.1:${await this.portOf({ host, port: Number(port || 443) })}`] as const;
      }),
    );
    const local = new Map(pairs);
    return text.replace(/https:\/\/[^/\s"?#]+/g, (url) => local.get(url) ?? url);
  }
}

async function openServer(
  answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): Promise<LocalServer> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

function without(headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

function isPlaylist(path: string, contentType: string | undefined): boolean {
  return /mpegurl/i.test(contentType ?? '') || /\.m3u8?(?=$|\?)/i.test(path);
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_PLAYLIST_BYTES) throw new Error('the playlist is larger than 4 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
