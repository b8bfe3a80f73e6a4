import { afterEach, expect, onTestFinished, test } from 'vitest';
import { startRtspServer } from '../../tools/local/rtsp-server.ts';
import { supersedes } from '../../src/client/index.ts';
import type { ActionEvent } from '../../src/core/records.ts';
import { runCli } from '../support/cli.ts';
import { apiOf, clipsIn, episodesIn, newestOf, ownersIn, startFleet } from '../support/fleet.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { endRuns, terminate } from '../support/runs.ts';
import { kcat } from '../support/strangers.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

const IDS = ['dock', 'gate', 'hall', 'yard'];

test('two workers share streams; what a frozen one loses moves, and what it writes when it wakes up is void', async () => {
  const camera = await startRtspServer({ file: await busyVideo(await temporaryDirectory()) });
  onTestFinished(() => camera.stop());
  const fleet = await startFleet();
  const [left, right] = [await fleet.worker('left'), await fleet.worker('right')];
  const url = await apiOf(left);
  await left.run.said('the streams of the fleet are known');
  for (const id of IDS) expect(await post(`${url}/api/v1/streams`, { id, url: camera.url })).toBe(201);
  const listed = await fleet.streams('ls');
  expect(listed).toMatchObject(IDS.map((id) => ({ id, url: camera.url })));

  // Each watches some, and none is watched twice.
  const clips = () => clipsIn(fleet.databaseUrl);
  const owners = async () => ownersIn(await clips());
  await expect.poll(async () => [...(await owners()).keys()].sort()).toEqual(IDS);
  const owner = (await owners()).get('dock') === 'left' ? left : right;
  const other = owner === left ? right : left;
  const lost = [...(await owners())].flatMap(([id, instance]) => (instance === owner.instance ? [id] : []));

  // The frozen one loses its streams, and its open episodes end once.
  owner.run.child.kill('SIGSTOP');
  await expect.poll(async () => [...(await owners()).values()]).toEqual(IDS.map(() => other.instance));
  const moved = async () => (await episodesIn(fleet.databaseUrl)).filter(({ reason }) => reason === 'moved');
  await expect.poll(async () => new Set((await moved()).map(({ stream }) => stream))).toEqual(new Set(lost));
  const ended = await moved();

  // It wakes up: it writes on for a moment, and changes nothing of what was ended.
  owner.run.child.kill('SIGCONT');
  await owner.run.said('partitions are given up');
  await expect
    .poll(async () => (await fetchStreams(await apiOf(owner))).every(({ state }) => state !== 'stopping'))
    .toBe(true);
  for (const worker of [owner, other]) {
    const { code, stderr } = await terminate(worker.run);
    expect(code, stderr).toBe(0);
  }
  const episodes = await episodesIn(fleet.databaseUrl);
  expect(episodes).toEqual(expect.arrayContaining([...ended]));
  expect(episodes.filter(({ state }) => state !== 'ended')).toEqual([]);
  const events = (await kcat(fleet.brokers, fleet.topics['action.event'])).map(
    ({ payload }) => JSON.parse(payload) as ActionEvent,
  );
  const newest = newestOf(events, supersedes);
  expect(
    [...newest.values()]
      .map(({ episode_id: id, sequence, writer_epoch: epoch }) => `${id} ${sequence} ${epoch}`)
      .sort(),
  ).toEqual(episodes.map(({ id, sequence, epoch }) => `${id} ${sequence} ${epoch}`).sort());
});

test('what a killed worker has left is delivered by journal deliver', async () => {
  const camera = await startRtspServer({ file: await busyVideo(await temporaryDirectory()) });
  onTestFinished(() => camera.stop());
  const fleet = await startFleet();
  await fleet.streams('add', 'dock', camera.url);
  await expect(fleet.streams('add', 'dock', camera.url)).rejects.toThrow('has a stream dock already');
  const worker = await fleet.worker('only');
  await expect.poll(async () => (await clipsIn(fleet.databaseUrl).catch(() => [])).length).toBeGreaterThan(3);
  worker.run.child.kill('SIGKILL');
  await worker.run.done;
  expect(await fleet.streams('pause', 'dock')).toMatchObject([{ id: 'dock', paused: true }]);

  const { code, stdout, stderr } = await runCli(['journal', 'deliver', worker.journal, worker.config]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(
    /kafka +\d+ records waited, 0 wait still\npostgres +\d+ records waited, 0 wait still/,
  );
  const episodes = await episodesIn(fleet.databaseUrl);
  expect(episodes.length).toBeGreaterThan(0);
  expect(episodes.filter(({ state }) => state !== 'ended')).toEqual([]);
  expect(await fleet.streams('rm', 'dock')).toMatchObject([{ id: 'dock' }]);
  expect(await fleet.streams('ls')).toEqual([]);
});

async function post(url: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json', connection: 'close' };
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status;
}

async function fetchStreams(url: string): Promise<readonly { readonly state: string }[]> {
  const response = await fetch(`${url}/api/v1/streams`, { headers: { connection: 'close' } });
  return ((await response.json()) as { streams: readonly { state: string }[] }).streams;
}
