import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { download } from '../../src/checkpoints/published/download.ts';
import { checksumInName } from '../../src/checkpoints/published/table.ts';
import { sendRange, serveFile } from '../support/file-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const BYTES = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) % 251);
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

async function fetchTo(
  url: string,
  options: {
    path?: string;
    checksum?: string;
    stallMs?: number;
    signal?: AbortSignal;
    onProgress?: () => void;
  } = {},
) {
  const { path = join(await temporaryDirectory(), 'x.part'), checksum, stallMs = 10_000, signal } = options;
  const seen: number[] = [];
  const result = download({
    url,
    path,
    stallMs,
    signal: signal ?? new AbortController().signal,
    onProgress(received) {
      seen.push(received);
      options.onProgress?.();
    },
    ...(checksum !== undefined && { checksum }),
  });
  return { path, seen, result };
}

describe('a download', () => {
  it('is written, checked and reported as it comes', async () => {
    const server = await serveFile((request, response) => {
      sendRange(BYTES, request, response);
    });

    const { path, seen, result } = await fetchTo(server.url('a.pth'), { checksum: SHA256.slice(0, 8) });

    expect(await result).toBe(SHA256);
    expect(new Uint8Array(await readFile(path))).toEqual(BYTES);
    expect(seen.at(-1)).toBe(BYTES.length);
  });

  it('that broke goes on from where it was', async () => {
    let breakOff = (): void => undefined;
    const server = await serveFile((request, response, count) => {
      if (count > 1) {
        sendRange(BYTES, request, response);
        return;
      }
      response.writeHead(200, { 'content-length': BYTES.length });
      response.write(BYTES.subarray(0, 80_000));
      breakOff = () => response.destroy();
    });
    const first = await fetchTo(server.url('a.pth'), {
      checksum: SHA256,
      onProgress: () => {
        breakOff();
      },
    });
    await expect(first.result).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/stopped after \d+ of 200000 bytes .*run it again to go on/) as string,
    });
    const { length } = await readFile(first.path);

    const second = await fetchTo(server.url('a.pth'), { checksum: SHA256, path: first.path });

    expect(await second.result).toBe(SHA256);
    expect(length).toBeGreaterThan(0);
    expect(server.ranges).toEqual([undefined, `bytes=${length}-`]);
  });

  /** A file whose version has a name; `ifRange`: whether the server heeds it. */
  const versioned =
    (bytes: Uint8Array, etag: string, ifRange = true): Parameters<typeof serveFile>[0] =>
    (request, response) => {
      response.setHeader('etag', etag);
      if (ifRange && request.headers['if-range'] !== etag) delete request.headers.range;
      sendRange(bytes, request, response);
    };
  const halfOf = async (server: { url(path: string): string }, etag: string): Promise<string> => {
    const path = join(await temporaryDirectory(), 'x.part');
    await writeFile(path, BYTES.subarray(0, 80_000));
    await writeFile(`${path}.origin`, JSON.stringify({ url: server.url('a.pth'), validator: etag }));
    return path;
  };

  it('that broke goes on where the server still has the same file, and begins anew where it has another', async () => {
    const other = BYTES.map((byte) => byte ^ 1);
    for (const heeds of [true, false]) {
      const server = await serveFile(versioned(other, '"two"', heeds));
      const changed = await fetchTo(server.url('a.pth'), { path: await halfOf(server, '"one"') });
      await changed.result;
      expect(new Uint8Array(await readFile(changed.path)), `heeds If-Range: ${heeds}`).toEqual(other);

      const same = await fetchTo(server.url('a.pth'), { path: await halfOf(server, '"two"') });
      await same.result;
      expect(new Uint8Array(await readFile(same.path)).subarray(80_000)).toEqual(other.subarray(80_000));
      expect(server.ranges.at(-1)).toBe('bytes=80000-');
    }
  });

  it('that broke begins anew where nothing says which file its beginning is of', async () => {
    const server = await serveFile(versioned(BYTES, 'W/"weak"', false));
    const path = await halfOf(server, '"one"');
    await writeFile(`${path}.origin`, JSON.stringify({ url: 'http://elsewhere/a.pth', validator: '"one"' }));

    const { result } = await fetchTo(server.url('a.pth'), { path });

    expect(await result).toBe(SHA256);
    expect(server.ranges).toEqual([undefined]);
  });

  it('that is there whole is not fetched again', async () => {
    const server = await serveFile(versioned(BYTES, '"one"'));
    const path = join(await temporaryDirectory(), 'x.part');
    await writeFile(path, BYTES);

    expect(await (await fetchTo(server.url('a.pth'), { path, checksum: SHA256 })).result).toBe(SHA256);
    expect(server.ranges).toEqual([]);
  });

  it('begins anew where the server knows no ranges, or what is there is too long', async () => {
    const plain = await serveFile((_, response) => {
      response.writeHead(200).end(BYTES);
    });
    const ranged = await serveFile((request, response) => {
      sendRange(BYTES, request, response);
    });
    for (const [server, left] of [
      [plain, 1000],
      [ranged, BYTES.length + 5],
    ] as const) {
      const path = join(await temporaryDirectory(), 'x.part');
      await writeFile(path, new Uint8Array(left));

      const { result } = await fetchTo(server.url('a.pth'), { path, checksum: SHA256 });

      expect(await result).toBe(SHA256);
      expect(new Uint8Array(await readFile(path))).toEqual(BYTES);
    }
  });

  it('follows redirections, from where an earlier try ended as well', async () => {
    const server = await serveFile((request, response) => {
      if (request.url === '/a.pth') response.writeHead(302, { location: '/mirror/b.pth' }).end();
      else sendRange(BYTES, request, response);
    });
    const path = join(await temporaryDirectory(), 'x.part');
    await writeFile(path, BYTES.subarray(0, 50_000));

    const { result } = await fetchTo(server.url('a.pth'), { path, checksum: SHA256 });

    expect(await result).toBe(SHA256);
    expect(server.ranges).toEqual(['bytes=50000-', 'bytes=50000-']);
  });

  it('that is redirected for ever is given up', async () => {
    const server = await serveFile((_, response) => {
      response.writeHead(302, { location: '/a.pth' }).end();
    });

    const { result } = await fetchTo(server.url('a.pth'));

    await expect(result).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining('redirect') as string,
    });
  });

  it.runIf(existsSync('/dev/full'))('that finds the disk full names the file and what to do', async () => {
    const server = await serveFile((request, response) => {
      sendRange(BYTES, request, response);
    });

    const { result } = await fetchTo(server.url('a.pth'), { path: '/dev/full' });

    await expect(result).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/a\.pth: \/dev\/full cannot be written: ENOSPC.*make room/) as string,
    });
  });

  it('of other bytes than its checksum says is refused, and nothing of it kept', async () => {
    const server = await serveFile((request, response) => {
      sendRange(
        BYTES.map((byte) => byte ^ 1),
        request,
        response,
      );
    });

    const { path, result } = await fetchTo(server.url('a.pth'), { checksum: SHA256.slice(0, 8) });

    await expect(result).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining(`expected ${SHA256.slice(0, 8)}…`) as string,
    });
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    [404, 'Not Found'],
    [503, 'Service Unavailable'],
  ])('that is answered %i says so', async (status, words) => {
    const server = await serveFile((_, response) => {
      response.writeHead(status).end('sorry');
    });

    const { result } = await fetchTo(server.url('a.pth'));

    await expect(result).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining(`the server answers ${status} ${words}`) as string,
    });
  });

  it('from nobody names the address and why', async () => {
    const { result } = await fetchTo('http://127.0.0.1:9/a.pth');

    await expect(result).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:9\/a\.pth: cannot be reached/) as string,
    });
  });

  it('of a server that falls silent is given up', async () => {
    const server = await serveFile((_, response) => {
      response.writeHead(200, { 'content-length': BYTES.length });
      response.write(BYTES.subarray(0, 1000));
    });

    const { result } = await fetchTo(server.url('a.pth'), { stallMs: 200 });

    await expect(result).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(
        /stopped after 1000 of 200000 bytes \(nothing came for 0\.2 s\)/,
      ) as string,
    });
  });

  it('ends when aborted', async () => {
    const controller = new AbortController();
    const server = await serveFile((_, response) => {
      response.writeHead(200, { 'content-length': BYTES.length });
      response.write(BYTES.subarray(0, 1000), () => {
        controller.abort();
      });
    });

    const { result } = await fetchTo(server.url('a.pth'), { signal: controller.signal });

    await expect(result).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('the checksum in a file name', () => {
  it.each([
    ['https://a.b/models/s3d-d76dad2f.pth', 'd76dad2f'],
    ['https://a.b/s3d-d76dad2f.pth?download=1', 'd76dad2f'],
    ['https://a.b/s3d_howto100m.pth', undefined],
    ['https://a.b/s3d-kinetics.pth', undefined],
  ])('%s', (url, checksum) => {
    expect(checksumInName(url)).toBe(checksum);
  });
});
