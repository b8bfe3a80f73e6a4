import { fastifyStatic } from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Where `npm run build` puts the dashboard: `dist/web`, seen from src and from dist alike. */
const FOLDER = path.join(import.meta.dirname, '..', '..', 'dist', 'web');

const IS_BUILT = existsSync(path.join(FOLDER, 'index.html'));

/** All that the page loads is ours. Frames and clips are blobs that it has fetched with its token. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' blob:",
  'media-src blob:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SAFETY = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * Serves the dashboard at `/`. It asks for no token: the page holds none of our data, and itself asks for the
 * token that the API demands. Files under `assets/` have a digest in their name and stay in caches.
 */
export async function servePage(app: FastifyInstance): Promise<void> {
  if (!IS_BUILT) return;
  await app.register(fastifyStatic, {
    root: FOLDER,
    // A route for each file: no address is turned into a path.
    wildcard: false,
    cacheControl: false,
    setHeaders(response, file) {
      for (const [name, value] of Object.entries(SAFETY)) response.setHeader(name, value);
      const isAsset = path.basename(path.dirname(file)) === 'assets';
      response.setHeader('cache-control', isAsset ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
}

/** A browser that asks for an address of the page, such as `/streams/dock-3`. */
export function asksForPage({ method, url, headers }: FastifyRequest): boolean {
  const isPlace = !/^\/(api|assets)\//.test(url);
  return method === 'GET' && isPlace && (headers.accept ?? '').includes('text/html') && IS_BUILT;
}

export function sendPage(reply: FastifyReply): FastifyReply {
  return reply.sendFile('index.html');
}
