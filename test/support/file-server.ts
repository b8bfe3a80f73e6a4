import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface FileServer {
  url(path: string): string;
  /** `range` header of each request, in order; undefined where it had none. */
  readonly ranges: readonly (string | undefined)[];
}

/** A real HTTP server on this machine that ends with the test. */
export async function serveFile(
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<FileServer> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response, ranges.length);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { ranges, url: (path) => `http://127.0.0.1:${port}/${path}` };
}

/** As web servers of downloads answer: with ranges where they are asked for. */
export function sendRange(bytes: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from >= bytes.length) {
    response.writeHead(416).end();
    return;
  }
  const headers = {
    'content-length': bytes.length - from,
    ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
  };
  response.writeHead(from > 0 ? 206 : 200, headers).end(bytes.subarray(from));
}
