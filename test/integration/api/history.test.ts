import { expect, test } from 'vitest';
import type { ActionEvent, ClipStats } from '../../../src/core/records.ts';
import { serveApi } from '../../support/api.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';

/** All items of a list, page by page. */
async function allPages<Item>(base: string, name: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let next: string | undefined = ''; next !== undefined;) {
    const response = await fetch(`${base}${next === '' ? '' : `&cursor=${encodeURIComponent(next)}`}`);
    expect(response.status).toBe(200);
    const page = (await response.json()) as Record<string, unknown>;
    items.push(...(page[name] as readonly Item[]));
    next = page['next'] as string | undefined;
  }
  return items;
}

test('pages of episodes hold each of them once, newest first, and filters hold', async () => {
  const { url, publish } = await serveApi();
  const events = Array.from({ length: 7 }, (_, episode) =>
    actionEvent({ episode, state: 'ended', stream_id: episode % 2 ? 'cam-1' : 'cam 2/ü' }),
  );
  await publish([...events, clipStats()]);
  const newestFirst = events.map(({ payload }) => payload).reverse();

  expect(await allPages<ActionEvent>(`${url}/api/v1/events?limit=3`, 'events')).toEqual(newestFirst);
  const ofOne = await allPages<ActionEvent>(`${url}/api/v1/events?stream=cam+2%2F%C3%BC&limit=2`, 'events');
  expect(ofOne.map(({ stream_id: id }) => id)).toEqual(Array(4).fill('cam 2/ü'));
  const [third] = newestFirst.slice(4);
  const since = `from=${encodeURIComponent(third!.started_at)}`;
  expect(await allPages(`${url}/api/v1/events?${since}`, 'events')).toHaveLength(5);
  expect(await allPages(`${url}/api/v1/events?min_score=0.94`, 'events')).toEqual([]);
  expect(
    await allPages(`${url}/api/v1/events?min_duration_ms=6400&label=lifting_brick`, 'events'),
  ).toHaveLength(7);
});

test('episodes are found by site and by tag of their stream', async () => {
  const { url, publish } = await serveApi();
  const described = [
    { site: 'Kiel', tags: ['dock', 'night'] },
    { site: 'Bremen', tags: ['dock'] },
    undefined,
  ];
  await publish(
    described.map((stream, episode) => actionEvent({ episode, state: 'ended', ...(stream && { stream }) })),
  );
  const found = async (query: string): Promise<unknown> =>
    (await allPages<ActionEvent>(`${url}/api/v1/events?limit=1&${query}`, 'events')).map(
      ({ stream }) => stream,
    );

  expect(await found('site=Kiel')).toEqual([described[0]]);
  expect(await found('site=Kiel&site=Bremen')).toEqual([described[1], described[0]]);
  expect(await found('tag=dock')).toEqual([described[1], described[0]]);
  expect(await found('tag=night&tag=none')).toEqual([described[0]]);
  expect(await found('site=Bremen&tag=night')).toEqual([]);
  expect(await found('label=lifting_brick')).toHaveLength(3);
  const csv = await (await fetch(`${url}/api/v1/events?format=csv&tag=night`)).text();
  expect(csv).toContain(',Kiel,"dock,night",');
});

test('one episode is found by its id, as NDJSON and as CSV', async () => {
  const { url, publish } = await serveApi();
  const event = actionEvent({ state: 'ended' });
  await publish([event, actionEvent({ episode: 1 })]);
  const { episode_id: id } = event.payload;

  expect(await (await fetch(`${url}/api/v1/events/${id}`)).json()).toEqual(event.payload);
  const missing = await fetch(`${url}/api/v1/events/00000000-0000-4000-8000-000000000000`);
  expect([missing.status, await missing.json()]).toEqual([
    404,
    expect.objectContaining({ code: 'NOT_FOUND' }),
  ]);

  const lines = await fetch(`${url}/api/v1/events?format=ndjson&limit=1`);
  expect(
    (await lines.text())
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as ActionEvent).state),
  ).toEqual(['started']);
  const next = lines.headers.get('next-cursor') ?? '';
  const csv = await fetch(`${url}/api/v1/events?format=csv&limit=1&cursor=${next}`);
  const [head = '', row = ''] = (await csv.text()).split('\r\n');
  expect(head).toMatch(/^episode_id,stream_id,label/);
  expect(row).toMatch(new RegExp(`^"?${id}"?,`));
  expect(csv.headers.get('next-cursor')).toBeNull();
});

test('clips of a stream come page by page, and their hours add up', async () => {
  const { url, publish } = await serveApi();
  const clips = Array.from({ length: 5 }, (_, n) => clipStats({ clip_seq: n * 1800 }));
  await publish([...clips, clipStats({ stream_id: 'other' })]);

  const shown = await allPages<ClipStats>(`${url}/api/v1/clips?stream=cam-1&limit=2`, 'clips');
  expect(shown).toEqual(clips.map(({ payload }) => payload).reverse());

  const { hours } = (await (await fetch(`${url}/api/v1/compute?stream=cam-1`)).json()) as {
    readonly hours: readonly {
      readonly hour: string;
      readonly clips: number;
      readonly multiply_adds: number;
    }[];
  };
  expect(hours.map(({ hour, clips }) => [hour, clips])).toEqual([
    ['2026-11-22T12:00:00.000Z', 1],
    ['2026-11-22T11:00:00.000Z', 2],
    ['2026-11-22T10:00:00.000Z', 2],
  ]);
  const spent = hours.reduce((sum, { multiply_adds: used }) => sum + used, 0);
  expect(spent).toBe(clips.reduce((sum, { payload }) => sum + payload.compute.multiply_adds, 0));
});

test('gaps that overlap an interval tell when nobody watched', async () => {
  const { url, publish } = await serveApi();
  const at = (second: number): string => `2026-11-22T10:00:${String(second).padStart(2, '0')}.000Z`;
  const gaps = [0, 10, 20].map((second) =>
    streamStatus({
      ...{
        status_id: `cam-1:test:${second}`,
        state: 'gap' as const,
        at: at(second + 5),
        reason: 'no_frames',
      },
      gap: { from: at(second), to: at(second + 5) },
    }),
  );
  await publish(gaps);

  const expected = [20, 10, 0].map((second) => ({
    ...{ stream_id: 'cam-1', from: at(second), to: at(second + 5), reason: 'no_frames' },
  }));
  expect(await allPages(`${url}/api/v1/gaps?limit=2`, 'gaps')).toEqual(expected);
  const inside = `from=${at(12)}&to=${at(13)}`;
  expect(await allPages(`${url}/api/v1/gaps?stream=cam-1&${inside}`, 'gaps')).toEqual([expected[1]]);
  expect(await allPages(`${url}/api/v1/gaps?from=${at(5)}&to=${at(10)}`, 'gaps')).toEqual([]);
});
