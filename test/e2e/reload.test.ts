import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import type { RunningCli } from '../support/cli.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { endRuns, isClip, recordsOf, startRun, terminate, TINY } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

test('SIGHUP and a changed file bring about what differs, others are undisturbed, and a bad file changes nothing', async () => {
  const directory = await temporaryDirectory();
  const camera = await startRtspServer({ file: await busyVideo(directory) });
  onTestFinished(() => camera.stop());
  const config = path.join(directory, 'site.yaml');
  const settings = {
    ...{ ...TINY, metrics: { port: 0 } },
    defaults: { window: { fps: 10, stride: 10 }, queue_clips: 200 },
    journal: { dir: path.join(directory, 'journal') },
    reload: { watch: true },
  };
  /** As an editor does: the file is whole at every moment. */
  const write = async (text: string): Promise<void> => {
    await writeFile(`${config}.new`, text);
    await rename(`${config}.new`, config);
  };
  const streams = (...ids: readonly string[]): readonly object[] =>
    ids.map((id) => ({ id, url: camera.url }));
  await write(stringify({ ...settings, streams: streams('stays', 'goes') }));
  const run = startRun(['run', config, '--json']);
  let log = '';
  run.child.stderr!.on('data', (text: string) => (log += text));
  await clipsFrom(run, 'stays', 'goes');
  const metric = async (name: string): Promise<string | undefined> => {
    const url = /"url":"(http:[^"]+)","msg":"metrics/.exec(log)?.[1] ?? '';
    const text = await (await fetch(url, { headers: { connection: 'close' } })).text();
    return new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1];
  };

  await write('streams: [{ id: stays }]\n');
  run.child.kill('SIGHUP');
  await expect.poll(() => log).toContain('the configuration file cannot be used; nothing has changed');
  expect(log).toContain('streams[0].url: is missing');
  expect(await metric('actionstream_config_last_reload_successful')).toBe('0');
  expect(Number(await metric('actionstream_config_reload_failures_total'))).toBeGreaterThan(0);
  await clipsFrom(run, 'stays', 'goes');

  const paused = { id: 'sleeps', url: camera.url, paused: true };
  await write(stringify({ ...settings, instance: 'other', streams: [...streams('stays', 'comes'), paused] }));
  run.child.kill('SIGHUP');
  await clipsFrom(run, 'comes');
  await expect.poll(() => log).toMatch(/"keys":\["instance"\].*need a restart/);
  expect(await metric('actionstream_config_last_reload_successful')).toBe('1');
  const isGone = (): boolean =>
    recordsOf(run).some(
      ({ type, payload }) =>
        type === 'stream.status' && payload.stream_id === 'goes' && payload.reason === 'removed',
    );
  await expect.poll(isGone).toBe(true);

  // Nobody asks: the file is watched.
  await write(stringify({ ...settings, streams: streams('stays', 'comes', 'sleeps') }));
  await clipsFrom(run, 'sleeps');
  expect(await terminate(run)).toMatchObject({ code: 0 });
  for (const id of ['stays', 'comes']) {
    const sequences = clipsOf(run, id);
    expect(sequences, `${id} is undisturbed`).toEqual(sequences.map((_, n) => n));
  }
});

function clipsOf(run: RunningCli, streamId: string): readonly number[] {
  return recordsOf(run).flatMap((record) =>
    isClip(record) && record.payload.stream_id === streamId ? [record.payload.clip_seq] : [],
  );
}

/** Two more clips of each. */
async function clipsFrom(run: RunningCli, ...streamIds: readonly string[]): Promise<void> {
  const before = new Map(streamIds.map((id) => [id, clipsOf(run, id).length]));
  for (const id of streamIds)
    await expect.poll(() => clipsOf(run, id).length).toBeGreaterThan((before.get(id) ?? 0) + 1);
}
