import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, open, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { recordingDigest } from '../../src/ingest/index.ts';
import { createAuthority } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const never = new AbortController().signal;
const digestOf = (url: string): Promise<string> => recordingDigest({ url }, never);

describe('the digest of a file', () => {
  test('depends on the content, not on name and folder', async () => {
    const directory = await temporaryDirectory();
    const [a, b, c] = ['a.mp4', 'b/c.mp4', 'd.mp4'].map((name) => path.join(directory, name));
    await mkdir(path.join(directory, 'b'));
    await writeFile(a!, 'one recording');
    await copyFile(a!, b!);
    await writeFile(c!, 'another one..');

    expect(await digestOf(b!)).toBe(await digestOf(a!));
    expect(await digestOf(`file://${a!}`)).toBe(await digestOf(a!));
    expect(await digestOf(c!)).not.toBe(await digestOf(a!));
  });

  test.each([
    ['head', 1000],
    ['middle', 32 << 20],
    ['tail', (64 << 20) - 1000],
  ])('of a large file sees a change at its %s, and takes no time', async (_, position) => {
    const directory = await temporaryDirectory();
    const file = path.join(directory, 'large.mp4');
    const handle = await open(file, 'w');
    await handle.truncate(64 << 20);
    const before = await digestOf(file);
    // As wide as the way between two blocks: a recording of the same size differs all over, not in one byte.
    await handle.write(randomBytes(5 << 20), 0, Math.min(5 << 20, (64 << 20) - position), position);
    await handle.close();

    expect(await digestOf(file)).not.toBe(before);
  });

  test('of a pipe is its address: nothing is read from it', async () => {
    const fifo = path.join(await temporaryDirectory(), 'pipe');
    spawnSync('mkfifo', [fifo]);
    const missing = await digestOf('/nowhere/frame_%04d.png');

    expect(await digestOf(fifo)).toMatch(/^[0-9a-f]{64}$/);
    expect(await digestOf('/nowhere/frame_%04d.png')).toBe(missing);
  });
});

describe('the digest of a recording on an HTTP server', () => {
  test('follows the version that the server tells', async () => {
    const headers: Record<string, string> = { etag: '"one"' };
    const url = await serve((_, response) => response.writeHead(200, headers).end());
    const first = await digestOf(`${url}/clip.mp4`);

    expect(await digestOf(`${url}/clip.mp4`)).toBe(first);
    expect(await digestOf(`${url}/other.mp4`)).not.toBe(first);
    headers['etag'] = '"two"';
    expect(await digestOf(`${url}/clip.mp4`)).not.toBe(first);
  });

  test('depends on no credentials; they reach the server, and no other one after a redirect', async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(200, { etag: '"x"' }).end();
    });
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { location: `${other}/clip.mp4` }).end();
    });
    const withUser = (user: string): string => `${url.replace('://', `://${user}@`)}/clip.mp4`;

    expect(await digestOf(withUser('ann:secret'))).toBe(await digestOf(withUser('bob:other')));
    expect(seen[0]).toBe(`Basic ${Buffer.from('ann:secret').toString('base64')}`);
    expect(seen[1]).toBeUndefined();
  });

  test('is that of the address where the server tells nothing, refuses or is away', async () => {
    const url = await serve((_, response) => response.writeHead(405).end());

    expect(await digestOf(`${url}/clip.mp4`)).toBe(await digestOf(`${url}/clip.mp4`));
    expect(await digestOf('http://127.0.0.1:1/clip.mp4')).toMatch(/^[0-9a-f]{64}$/);
  });
});

test('an HTTPS server tells its version to whoever trusts its authority, and to nobody else', async () => {
  const authority = createAuthority(await temporaryDirectory());
  const { key, cert } = authority.issue('server');
  let etag = '"one"';
  const server = createSecureServer({ key, cert }, (_, response) => {
    response.writeHead(200, { etag }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/clip.mp4`;
  const trusted = () => recordingDigest({ url, tls: { ca: authority.ca } }, never);
  const [before, unknown] = [await trusted(), await digestOf(url)];
  etag = '"two"';

  expect(await trusted()).not.toBe(before);
  expect(await digestOf(url)).toBe(unknown);
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
