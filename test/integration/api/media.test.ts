import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseTokens } from '../../../src/api/tokens.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { ActionEvent } from '../../../src/core/records.ts';
import { EventFiles } from '../../../src/media/event-files.ts';
import { MediaKeeper } from '../../../src/media/media-keeper.ts';
import { serveApi } from '../../support/api.ts';
import { actionEvent } from '../../support/records.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ABSENT = '00000000-0000-4000-8000-000000000000';

/** A keeper that holds ten bytes as the clip of an episode, and no snapshot. */
async function keeping(episodeId: string): Promise<MediaKeeper> {
  const dir = await temporaryDirectory();
  const files = await EventFiles.open(dir);
  await writeFile(await files.draft(episodeId, 'clip'), '0123456789');
  await files.keep({
    ...{ episode_id: episodeId, stream_id: 'cam-1', note: 'no snapshot: the disk' },
    clip: { from: '2026-11-22T10:00:00.000Z', to: '2026-11-22T10:00:09.000Z', codec: 'h264' },
  });
  await writeFile(path.join(dir, 'secret.mp4'), 'secret');
  const limits = { beforeMs: 0, afterMs: 0, longestMs: 0, maxBytes: 1e9, maxAgeMs: 1e9, minFreeBytes: 0 };
  return MediaKeeper.open({ dir, ...limits }, { ffmpegPath: 'ffmpeg', logger: silentLogger });
}

test('an event names its media, and its clip is served whole and in parts', async () => {
  const { payload } = actionEvent({ state: 'ended' });
  const { episode_id: id } = payload;
  const { url, publish } = await serveApi({ media: await keeping(id) });
  await publish([actionEvent({ state: 'ended' }), actionEvent({ episode: 1 })]);
  const base = `${url}/api/v1/events/${id}`;

  const { media } = (await (await fetch(base)).json()) as ActionEvent;
  expect(media).toEqual({
    ...payload.media,
    ...{ state: 'kept', clip: `/api/v1/events/${id}/clip.mp4`, codec: 'h264', note: 'no snapshot: the disk' },
    ...{ clip_from: '2026-11-22T10:00:00.000Z', clip_to: '2026-11-22T10:00:09.000Z' },
  });
  const { episode_id: other } = actionEvent({ episode: 1 }).payload;
  expect(await (await fetch(`${url}/api/v1/events/${other}`)).json()).toMatchObject({
    media: { state: 'none', note: expect.stringMatching(/^nothing was kept/) as string },
  });

  const part = async (range?: string): Promise<readonly unknown[]> => {
    const response = await fetch(`${base}/clip.mp4`, range === undefined ? {} : { headers: { range } });
    const { headers, status } = response;
    return [status, headers.get('content-range'), headers.get('content-type'), await response.text()];
  };
  expect(await part()).toEqual([200, null, 'video/mp4', '0123456789']);
  expect(await part('bytes=2-4')).toEqual([206, 'bytes 2-4/10', 'video/mp4', '234']);
  expect(await part('bytes=7-')).toEqual([206, 'bytes 7-9/10', 'video/mp4', '789']);
  expect(await part('bytes=-2')).toEqual([206, 'bytes 8-9/10', 'video/mp4', '89']);
  expect(await part('bytes=5-99')).toEqual([206, 'bytes 5-9/10', 'video/mp4', '56789']);
  expect(await part('bytes=0-1,4-5')).toEqual([200, null, 'video/mp4', '0123456789']);
  expect((await part('bytes=10-'))[0]).toBe(416);
  expect((await fetch(`${base}/snapshot.jpg`)).status).toBe(404);
  expect((await fetch(`${url}/api/v1/events/${ABSENT}/clip.mp4`)).status).toBe(404);
});

test('no id becomes a path of another file, and media need a token as events do', async () => {
  const { payload } = actionEvent({ state: 'ended' });
  const tokens = parseTokens('read reader-0123456789ab');
  const { url } = await serveApi({ tokens, media: await keeping(payload.episode_id) });
  const ask = async (id: string, headers: Record<string, string> = {}): Promise<number> => {
    const response = await fetch(`${url}/api/v1/events/${id}/clip.mp4`, { headers });
    expect(await response.text()).not.toContain('secret');
    return response.status;
  };
  const authorized = { authorization: 'Bearer reader-0123456789ab' };

  expect(await ask(payload.episode_id)).toBe(401);
  expect(await ask(payload.episode_id, authorized)).toBe(200);
  for (const id of ['..%2Fsecret', '%2e%2e%2f%2e%2e%2fsecret', 'secret', '..%5Csecret', `${ABSENT}%00`])
    expect([400, 404], id).toContain(await ask(id, authorized));
});
