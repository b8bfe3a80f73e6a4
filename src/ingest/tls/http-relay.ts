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

/**
 * A plain HTTP server on the loopback that stands for an https origin. Redirections
 * and playlists that lead to other https origins get servers of their own, so that
 * every segment comes over a verified connection; what leads out of TLS is refused.
 */
export async function openHttpRelay(
  first: Origin,
  connector: TrustedConnector,
  problem: (error: unknown) => void,
): Promise<AsyncDisposable & { readonly port: number }> {
  const ended = new AbortController();
  const servers = new Map<string, Promise<{ readonly server: Server; readonly port: number }>>();

  function portOf({ host, port }: Origin): Promise<number> {
    const key = `${host}:${port}`;
    let opened = servers.get(key);
    if (!opened) {
      opened = openServer((incoming, outgoing) => {
        relay({ host, port }, incoming, outgoing).catch((error: unknown) => {
          if (!ended.signal.aborted && !outgoing.destroyed) problem(error);
          if (outgoing.headersSent) outgoing.destroy();
          else outgoing.writeHead(502).end();
        });
      });
      servers.set(key, opened);
    }
    return opened.then(({ port: local }) => local);
  }

  async function relay(origin: Origin, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController();
    outgoing.once('close', () => {
      gone.abort();
    });
    const socket = await connector.connect(
      origin.host,
      origin.port,
      AbortSignal.any([ended.signal, gone.signal]),
    );
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
    await forward(answer, outgoing, incoming.url ?? '');
  }

  async function forward(answer: IncomingMessage, outgoing: ServerResponse, path: string): Promise<void> {
    const { statusCode = 502, statusMessage, headers: given } = answer;
    const headers = without(given, ['connection', 'keep-alive', 'transfer-encoding']);
    if (headers.location !== undefined) headers.location = await localise(headers.location);
    if (!isPlaylist(path, headers['content-type'])) {
      outgoing.writeHead(statusCode, statusMessage, headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
      return;
    }
    const body = Buffer.from(await localise(await textOf(answer)));
    const status = statusCode === 206 ? 200 : statusCode;
    outgoing
      .writeHead(status, { ...without(headers, ['content-range']), 'content-length': body.length })
      .end(body);
  }

  /** Addresses inside TLS, replaced by ports of ours. @throws Error where one leads out of TLS */
  async function localise(text: string): Promise<string> {
    const out = /(?<=^|")http:\/\/([^/\s"?#]+)/m.exec(text);
    if (out)
      throw new Error(`certificate checks end at http://${out[1] ?? ''}: an https source may not lead there`);
    const origins = new Set(Array.from(text.matchAll(/https:\/\/[^/\s"?#]+/g), ([url]) => url));
    const pairs = await Promise.all(
      [...origins].map(async (url) => {
        const { hostname, port } = new URL(url);
        const host = hostname.replace(/^\[|\]$/g, '');
        return [url, `http://127.0.0.1:${await portOf({ host, port: Number(port || 443) })}`] as const;
      }),
    );
    const local = new Map(pairs);
    return text.replace(/https:\/\/[^/\s"?#]+/g, (url) => local.get(url) ?? url);
  }

  return {
    port: await portOf(first),
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      for (const opened of await Promise.all(servers.values())) {
        const closed = once(opened.server, 'close');
        opened.server.close();
        opened.server.closeAllConnections();
        await closed;
      }
    },
  };
}

async function openServer(
  answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): Promise<{ readonly server: Server; readonly port: number }> {
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
