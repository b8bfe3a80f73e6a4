import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startRtspServer, type RtspServer } from '../../tools/local/rtsp-server.ts';
import { jsonLines, runCli, startCli } from '../support/cli.ts';
import { LABELS, saveModel, tinyModel } from '../support/evaluation-clips.ts';
import { timeVideo } from '../support/lavfi.ts';
import { fileDirectory } from '../support/temporary-directory.ts';

// `calibrate` on cameras: what it watches, what it writes, what it says where there is little to see.

const directory = fileDirectory();
const AUTH = { scheme: 'digest', username: 'viewer', password: 'opensesame' } as const;
let camera: RtspServer;
let video: string;
let model: string;
let temporary: string;
let site: string;

beforeAll(async () => {
  video = await timeVideo(directory(), 'scene.mp4', { seconds: 6 });
  model = await saveModel(path.join(directory(), 'model'), tinyModel(LABELS, { shares: true }));
  temporary = path.join(directory(), 'tmp');
  await mkdir(temporary);
});

beforeEach(async () => {
  camera = await startRtspServer({ file: video, auth: AUTH });
  site = path.join(directory(), 'site.yaml');
  await writeFile(site, siteOf(camera));
});

afterEach(async () => {
  await camera.stop();
  // No recording outlives its command.
  expect(await recordings()).toEqual([]);
});

test('a camera is watched, and δ goes into its settings; comments stay', async () => {
  const args = ['--config', site, '--duration', '5s', '--agreement', '0.5', '--min-steps', '2', '--write'];
  const { code, stdout, stderr } = await calibrate(['yard', ...args, '--json']);

  expect(code, stderr).toBe(0);
  const result = jsonLines(stdout).at(-1) as { delta: number; windows: number };
  expect(Object.keys(result)).toEqual([
    ...['delta', 'agreement', 'agreement_low', 'multiply_adds_ratio', 'windows'],
  ]);
  expect(result.windows).toBeGreaterThan(0);
  const written = `    sampler: { kind: ordered, min_steps: 2, width: ${result.delta} }\n`;
  expect(await readFile(site, 'utf8')).toBe(`${siteOf(camera)}${written}`);
  const { stdout: valid } = await runCli(['validate', site], { CAMERA_PASSWORD: AUTH.password });
  expect(valid).toMatch(/valid, 2 streams/);
});

test('an address of its own, with a login; too little to see is said and not written', async () => {
  const login = ['--username', AUTH.username, '--password', AUTH.password];
  const short = ['--duration', '2s'];
  const address = await calibrate([camera.url, '--model', model, ...login, ...short]);
  const written = await calibrate(['yard', '--config', site, '--write', ...short, '--json']);

  for (const { stderr } of [address, written]) {
    expect(stderr).toMatch(
      /too few windows: something moves in \d+ of \d+ windows .* 15 are needed to show 0\.98/,
    );
  }
  expect(address).toMatchObject({ code: 0 });
  expect(address.stdout).toMatch(/in the stream's settings: {2}sampler: \{ kind: ordered, width: [\d.]+ \}/);
  expect(written).toMatchObject({ code: 1 });
  expect(jsonLines(written.stdout)).toHaveLength(1);
  expect(await readFile(site, 'utf8')).toBe(siteOf(camera));
});

test('a camera that is lost leaves what was seen of it', async () => {
  const running = startCli(['calibrate', 'yard', '--config', site, '--duration', '1h', '--json'], ENV());
  // Three windows of 8 frames of 32².
  await expect.poll(recordedBytes, { timeout: 60_000 }).toBeGreaterThan(3 * 8 * 32 * 32 * 3);
  camera.faults.refuse(503);
  camera.faults.dropClients();
  const { code, stdout, stderr } = await running.done;

  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/yard: lost: /);
  expect((jsonLines(stdout).at(-1) as { windows: number }).windows).toBeGreaterThanOrEqual(3);
});

test('a camera that refuses the login, or knows no such path, ends it with the reason', async () => {
  const refused = await runCli(['calibrate', 'yard', '--config', site], {
    ...ENV(),
    CAMERA_PASSWORD: 'wrong',
  });
  camera.faults.refuse(404);
  const absent = await calibrate(['yard', '--config', site]);

  expect(refused).toMatchObject({ code: 3, stdout: '' });
  expect(refused.stderr).toMatch(/SOURCE_UNAUTHORIZED/);
  expect(absent).toMatchObject({ code: 3, stdout: '' });
  expect(absent.stderr).toMatch(/SOURCE_NOT_FOUND/);
});

test.each([
  [['cellar', '--config'], /cellar: no stream of .*site\.yaml, which has door, yard/],
  [
    ['yard', '--write', '--similarity', 'grid:2', '--config'],
    /--write: sampler\.similarity is no setting of one/,
  ],
  [['door', 'yard', '--config'], /differ in their sampler settings: calibrate them one by one/],
])('%j is refused', async (args, problem) => {
  const { code, stderr } = await calibrate([...args, site]);

  expect(code).toBe(2);
  expect(stderr).toMatch(problem);
});

const ENV = (): Record<string, string> => ({ CAMERA_PASSWORD: AUTH.password, TMPDIR: temporary });

function calibrate(args: readonly string[]) {
  return runCli(['calibrate', ...args], ENV());
}

function siteOf({ url }: RtspServer): string {
  return `# the site
model: { path: ${model} }
defaults:
  reconnect: { first: 100ms, max: 100ms }
streams:
  - id: door # front
    url: ${video}
    sampler: { noise_floor: 0.1 }
  - id: yard
    username: ${AUTH.username}
    password: \${CAMERA_PASSWORD}
    url: ${url} # behind the house
`;
}

async function recordedBytes(): Promise<number> {
  const [folder = ''] = await recordings();
  const file = await stat(path.join(temporary, folder, 'frames.rgb')).catch(() => undefined);
  return file?.size ?? 0;
}

async function recordings(): Promise<readonly string[]> {
  return (await readdir(temporary)).filter((name) => name.startsWith('actionstream-calibrate-'));
}
