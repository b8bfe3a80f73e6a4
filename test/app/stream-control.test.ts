import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Problem } from '../../src/api/problem.ts';
import { loadConfig } from '../../src/config/index.ts';
import { controlStreams, type Controlled } from '../support/control.ts';

const TWO = {
  streams: [
    { id: 'left', url: 'rtsp://cam/1' },
    { id: 'right', url: 'rtsp://cam/2', password: 'secret' },
  ],
};

function streamsOf({ control }: Controlled): readonly string[] {
  return control.streams.map(
    ({ streamId, state, origin, changed }) => `${streamId} ${state} ${origin}${changed ? ' changed' : ''}`,
  );
}

async function problemOf(change: Promise<unknown>): Promise<Problem> {
  const error: unknown = await change.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Problem)) throw new Error(`no problem: ${String(error)}`);
  return error;
}

it('what was changed is durable, private, over the file, and there after a restart', async () => {
  const site = await controlStreams(TWO);
  await site.control.add({ id: 'yard', url: 'rtsp://cam/3', password: 'hidden' });
  await site.control.change('right', { url: 'rtsp://cam/4', window: { stride: 4 } });
  await site.control.change('right', { window: { fps: 5 }, password: null });
  await site.control.change('yard', { paused: true });
  await site.control.remove('left');

  const expected = ['right running file changed', 'yard paused api'];
  expect(streamsOf(site)).toEqual(expected);
  expect(site.built).toEqual(['left', 'right', 'yard', 'right', 'right']);
  expect((await stat(site.store)).mode & 0o777).toBe(0o600);
  const again = loadConfig(site.file, { env: {} });
  expect(again.streams).toMatchObject([
    { streamId: 'right', url: 'rtsp://cam/4', window: { stride: 4, fps: 5 }, paused: false },
    { streamId: 'yard', url: 'rtsp://cam/3', password: 'hidden', paused: true },
  ]);
  expect(again.streams[0]).not.toHaveProperty('password');
  const origins = new Map(again.effective.map(({ key, origin }) => [key, origin]));
  expect(origins.get('streams[0].url')).toBe(site.store);
  expect(origins.get('streams[0].id')).toMatch(/\.yaml:\d+:\d+$/);
  expect(origins.get('streams[1].url')).toBe(site.store);
  expect(JSON.stringify(again.effective)).not.toContain('hidden');
});

it('what settings say of a stream is shown, changed and taken away', async () => {
  const site = await controlStreams(TWO);
  await site.control.add({ id: 'yard', url: 'rtsp://cam/3', site: 'Kiel', tags: ['dock'] });
  const about = () => site.control.streams.map((stream) => stream.about);
  expect(about()).toEqual([undefined, undefined, { site: 'Kiel', tags: ['dock'] }]);
  await site.control.change('yard', { site: null, name: 'Yard' });
  expect(about().at(-1)).toEqual({ name: 'Yard', tags: ['dock'] });
});

it('settings that change nothing leave the stream undisturbed', async () => {
  const site = await controlStreams(TWO);
  await site.control.change('left', { url: 'rtsp://cam/1' });
  await site.control.change('left', { paused: false });
  expect(site.built).toEqual(['left', 'right']);
});

it('an added stream hides one of the file, and both go when it is removed', async () => {
  const site = await controlStreams(TWO);
  await site.control.remove('left');
  await site.control.add({ id: 'left', url: 'rtsp://cam/9' });
  expect(loadConfig(site.file, { env: {} }).streams.map(({ url }) => url)).toEqual([
    'rtsp://cam/2',
    'rtsp://cam/9',
  ]);
  await site.control.remove('left');
  expect(loadConfig(site.file, { env: {} }).streams.map(({ url }) => url)).toEqual(['rtsp://cam/2']);
});

it('what is wrong is told by field, and changes nothing', async () => {
  const site = await controlStreams(TWO);
  const { control } = site;
  const wrong: readonly (readonly [() => Promise<unknown>, number, readonly string[]])[] = [
    [() => control.add({ url: 'rtsp://cam/1' }), 400, ['id']],
    [() => control.add({ id: 'new' }), 400, ['url']],
    [
      () => control.add({ id: 'new', url: 'x', window: { strid: 1 }, kind: 'lief' }),
      400,
      ['kind', 'window.strid'],
    ],
    [() => control.add({ id: 'new', url: 'rtsp://cam/1', events: { on: 0.2, off: 0.5 } }), 400, ['events']],
    [() => control.add({ id: 'new', url: 'rtsp://cam/1', events: { allow: ['jump'] } }), 400, []],
    [
      () => control.add({ id: 'new', url: 'rtsp://cam/1', password_file: '/etc/passwd' }),
      400,
      ['password_file'],
    ],
    [() => control.add({ id: 'new', url: 'rtsp://cam/1', models: ['other'] }), 400, []],
    [() => control.add({ id: 'left', url: 'rtsp://cam/1' }), 409, []],
    [() => control.add([]), 400, []],
    [() => control.add('{}'), 400, []],
    [() => control.change('left', { id: 'other' }), 400, ['id']],
    [() => control.change('left', { url: 'rtsp://***@cam/1' }), 400, ['url']],
    [() => control.change('left', { url: null }), 400, ['url']],
    [() => control.change('nobody', {}), 404, []],
    [() => control.remove('nobody'), 404, []],
    [() => control.probe({ url: 'rtsp://cam/1', stride: 1 }), 400, ['stride']],
  ];
  for (const [change, status, fields] of wrong) {
    const error: unknown = await change().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const problem = error as Partial<Problem> & { readonly code: string };
    expect([problem.code, (problem.errors ?? []).map(({ field }) => field)], problem.message).toEqual([
      status === 404
        ? 'NOT_FOUND'
        : status === 409
          ? 'EXISTS'
          : expect.stringMatching(/^(CONFIG_INVALID|BAD_REQUEST)$/),
      fields,
    ]);
  }
  expect(streamsOf(site)).toEqual(['left running file', 'right running file']);
  await expect(readFile(site.store)).rejects.toThrow('ENOENT');
});

it('a change that cannot be kept changes nothing', async () => {
  const site = await controlStreams(TWO);
  await rm(path.dirname(site.store), { recursive: true });
  expect(await problemOf(site.control.remove('left'))).toMatchObject({ status: 503, code: 'NOT_KEPT' });
  expect(streamsOf(site)).toEqual(['left running file', 'right running file']);
});

it('streams of the command line are changed for as long as the run lasts', async () => {
  const site = await controlStreams(TWO, { request: { sources: ['rtsp://cam/7'] } });
  await site.control.add({ id: 'more', url: 'rtsp://cam/8' });
  expect(site.control.streams.map(({ streamId }) => streamId)).toEqual(['cam', 'more']);
  await expect(readFile(site.store)).rejects.toThrow('ENOENT');
});

it('a store that cannot be read is named, with the way out', async () => {
  const site = await controlStreams(TWO);
  await site.control.remove('left');
  await writeFile(site.store, '{"version": 2}');
  expect(() => loadConfig(site.file, { env: {} })).toThrow(
    /streams\.json: holds no changed streams: .*move it away/,
  );
});

it('in a fleet the given definitions run and no others; those that stay are undisturbed, and a wrong one stops none', async () => {
  const site = await controlStreams({
    fleet: { name: 'site' },
    sinks: { kafka: { brokers: ['127.0.0.1:1'] } },
  });
  const [dock, gate, yard] = ['dock', 'gate', 'yard'].map((id) => ({ id, url: `rtsp://cam/${id}` }));
  await site.control.follow([dock!, { id: 'wrong', url: '' }, gate!], () => 'moved');
  expect(streamsOf(site)).toEqual(['dock running api', 'gate running api']);

  const { ended } = await site.control.follow([gate!, yard!], () => 'moved');
  await ended;
  expect(streamsOf(site)).toEqual(['gate running api', 'yard running api']);
  expect(site.built).toEqual(['dock', 'gate', 'yard']);
});

it.each([
  [
    { streams: TWO.streams, sinks: { kafka: { brokers: ['127.0.0.1:1'] } } },
    /streams:? .*come from the topic/,
  ],
  [{}, /sinks\.kafka:? .*is missing; a fleet shares its streams through Kafka/],
])('a worker of a fleet with %j is refused', async (settings, problem) => {
  await expect(controlStreams({ fleet: { name: 'site' }, ...settings })).rejects.toThrow(problem);
});
