import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { ActionEvent } from '../../src/core/records.ts';
import { freePort } from '../../tools/local/free-port.ts';
import { runCli } from '../support/cli.ts';
import { saveModel, tinyModel } from '../support/evaluation-clips.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { temporaryDatabase } from '../support/names.ts';
import { endRuns, startRun, terminate, writeConfig } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

demandNoLeftovers();
afterEach(endRuns);

const CAMERAS = ['cam-1', 'cam-2', 'cam-3', 'cam-4'];
/** Cameras that see something else that moves, so often. */
const WINDY = { windy: 5, yard: 2 } as const;

// A tiny backbone of random weights tells patterns apart. The first model has learned one pattern,
// and takes a second one, which two cameras see, for it. One is not enough: cross-validation
// holds it out, and then nothing like it was seen.
test('alarms that were marked wrong are gone after teach, and others stay', async () => {
  const directory = await temporaryDirectory();
  const at = (...names: readonly string[]): string => path.join(directory, ...names);
  const databaseUrl = await temporaryDatabase();
  await saveModel(at('backbone'), tinyModel(['a', 'b']));
  for (const time of ['before', 'after']) {
    for (const camera of CAMERAS) await film(at(`${camera}-${time}.mp4`), ['pattern'], time);
    for (const [camera, times] of Object.entries(WINDY))
      await film(at(`${camera}-${time}.mp4`), Array<Shown>(times).fill('wind'), time);
  }
  const list = [
    'dataset,path,label,start_s,end_s,split,group',
    ...CAMERAS.flatMap((camera) => [
      `site,${camera}-before.mp4,pattern,2,4,,${camera}`,
      `site,${camera}-before.mp4,none,0,2,,${camera}`,
    ]),
  ];
  await writeFile(at('first.csv'), `${list.join('\n')}\n`);
  await teach(at('first.csv'), at('first'), directory);

  const before = await alarms(at, { model: 'first', time: 'before', databaseUrl });
  expect(before.counts).toEqual({ ...Object.fromEntries(CAMERAS.map((id) => [id, 1])), ...WINDY });
  for (const { episode_id: id, stream_id: stream } of before.events)
    await before.say(id, stream in WINDY ? 'wrong' : 'right');
  await terminate(before.run);

  const exported = await runCli(['feedback', 'export', before.config, '--out', at('judged'), '--json']);
  expect(exported.code, exported.stderr).toBe(0);
  expect(JSON.parse(exported.stdout)).toEqual({
    ...{ manifest: at('judged', 'feedback.csv'), clips: 11, right: 4, wrong: 7, other: 0 },
    ...{ groups: 6, without_clip: 0 },
  });
  expect(await readFile(at('judged', 'feedback.csv'), 'utf8')).toMatch(
    /^feedback,clips\/[0-9a-f-]{36}\.mp4,background,\d+\.\d{3},\d+\.\d{3},,windy,/m,
  );
  // What the first model learned from stays in the list: stillness is no alarm either.
  const older = list.slice(1).map((row) => `${row.replace(',', ',../')},,,,,,`);
  await appendFile(at('judged', 'feedback.csv'), `${older.join('\n')}\n`);
  await teach(at('judged', 'feedback.csv'), at('second'), directory);
  const after = await alarms(at, { model: 'second', time: 'after', databaseUrl });
  expect(after.counts).toEqual(Object.fromEntries(CAMERAS.map((id) => [id, 1])));
  await terminate(after.run);
});

test('an export without feedback or without clips says what is missing', async () => {
  const directory = await temporaryDirectory();
  const url = await temporaryDatabase();
  expect((await runCli(['migrate', '--postgres', url])).code).toBe(0);
  const config = await writeConfig(directory, {
    streams: [{ id: 'cam', url: 'rtsp://127.0.0.1/cam' }],
    sinks: { postgres: { url } },
  });
  const out = path.join(directory, 'judged');

  const withoutMedia = await runCli(['feedback', 'export', config, '--out', out]);
  const withoutWords = await runCli(['feedback', 'export', config, '--out', out, '--media', directory]);

  expect(withoutMedia).toMatchObject({ code: 2, stderr: expect.stringMatching(/media\.dir/) as string });
  expect(withoutWords).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no episode in the database was judged yet/) as string,
  });
});

type Shown = 'pattern' | 'wind';

/** Two seconds of each thing, with two still seconds before, between and after. */
async function film(file: string, things: readonly Shown[], time: string): Promise<void> {
  const form = 'size=64x64:rate=10';
  const sources = {
    still: `color=gray:${form}:duration=2`,
    pattern: `testsrc2=${form},trim=start=${time === 'before' ? 0 : 3}:duration=2,setpts=PTS-STARTPTS`,
    wind: `mandelbrot=${form}:start_scale=0.5,trim=duration=2`,
  };
  const parts = ['still', ...things.flatMap((thing) => [thing, 'still'] as const)] as const;
  const made = parts.map((part, index) => `${sources[part]},format=yuv420p[p${index}]`);
  const joined = parts.map((_, index) => `[p${index}]`).join('');
  const graph = `${made.join(';')};${joined}concat=n=${parts.length}[out0]`;
  await ffmpeg('-f', 'lavfi', '-i', graph, '-c:v', 'libx264', '-g', '10', '-pix_fmt', 'yuv420p', file);
}

async function teach(data: string, out: string, directory: string): Promise<void> {
  const cache = path.join(directory, 'features');
  const backbone = path.join(directory, 'backbone');
  const taught = await runCli([
    'teach',
    '--data',
    data,
    '--backbone',
    backbone,
    '--out',
    out,
    '--cache',
    cache,
  ]);
  expect(taught.code, taught.stderr).toBe(0);
}

/** Runs all cameras to the end of their films; the API goes on, so that events can be judged. */
async function alarms(
  at: (...names: readonly string[]) => string,
  {
    model,
    time,
    databaseUrl,
  }: { readonly model: string; readonly time: string; readonly databaseUrl: string },
) {
  const port = await freePort();
  const settings = {
    model: { path: at(model) },
    http: { port, keep_serving: true },
    events: { min_duration: '500ms', merge_gap: '1s' },
    streams: [...CAMERAS, ...Object.keys(WINDY)].map((id) => ({ id, url: at(`${id}-${time}.mp4`) })),
    journal: { dir: at(`journal-${time}`) },
    media: { dir: at('media'), before: '1s', after: '1s', min_free: '0B' },
    sinks: { postgres: { url: databaseUrl } },
  };
  const config = await writeConfig(at(), settings, `${time}.yaml`);
  const run = startRun(['run', config]);
  const base = `http://127.0.0.1:${port}/api/v1`;
  const ask = async <Answer>(place: string): Promise<Answer> =>
    (await (await fetch(`${base}/${place}`, { headers: { connection: 'close' } })).json()) as Answer;
  const isOver = async (): Promise<boolean> => {
    const { streams } = await ask<{ readonly streams?: readonly { readonly state?: string }[] }>('streams');
    return streams?.every(({ state }) => state === 'ended') ?? false;
  };
  await expect.poll(() => isOver().catch(() => false)).toBe(true);
  const { events } = await ask<{ readonly events: readonly ActionEvent[] }>('events?label=pattern');
  const mine = events.filter(({ model: { id } }) => id === model);
  const isKept = async ({ episode_id: id }: ActionEvent): Promise<boolean> =>
    (await ask<{ readonly media: { readonly clip?: string } }>(`events/${id}`)).media.clip !== undefined;
  await expect.poll(async () => (await Promise.all(mine.map(isKept))).includes(false)).toBe(false);
  const counts: Record<string, number> = {};
  for (const { stream_id: id } of mine) counts[id] = (counts[id] ?? 0) + 1;
  const say = async (id: string, verdict: string): Promise<void> => {
    const response = await fetch(`${base}/events/${id}/feedback`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ verdict }),
    });
    expect(response.status, await response.text()).toBe(201);
  };
  return { run, config, events: mine, counts, say };
}
