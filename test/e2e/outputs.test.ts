import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import type { PublishedRecord } from '../../src/core/records.ts';
import { openJournalReader } from '../../src/sink/journal/reader.ts';
import { ROOT, runCli } from '../support/cli.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { endRuns, isStatus, nextRecord, startRun, writeConfig } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { busyVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

const MAIN = path.join(ROOT, 'dist', 'main.js');
const SETTINGS = {
  model: { network: 's3d-g', width: 0.125, frames: 4, size: 32, classes: 4 },
  engine: { kind: 'null' },
  defaults: { window: { fps: 15, stride: 4 } },
  events: { on: 0.1, off: 0.05, min_duration: '0s', update_interval: '1s' },
};

test('a reader of the NDJSON on standard output goes away: the run ends in order, with exit 1 and one line', async () => {
  const { config, journal } = await site({ realtime: true, sinks: { ndjson: { path: '-' } } });
  const run = startRun(['run', config]);
  await nextRecord(run, isStatus('up'));
  run.child.stdout?.destroy();
  const { code, stderr } = await run.done;

  expect(code, stderr).toBe(1);
  expect(stderr).toMatch(
    /^error OUTPUT_CLOSED: the reader of standard output went away.*sinks\.ndjson\.path/m,
  );
  expect(stderr).not.toContain('    at ');
  expect(await openEpisodesIn(journal)).toEqual([]);
});

test('readers of both outputs go away: a run without NDJSON there goes on to its end', async () => {
  const { config, journal, file } = await site({ realtime: false });
  const run = startProgram(['run', config], ['ignore', 'pipe', 'pipe']);
  run.stdout?.destroy();
  run.stderr?.destroy();
  expect(await once(run, 'exit')).toEqual([0, null]);

  expect(await openEpisodesIn(journal)).toEqual([]);
  expect(await linesIn(file)).toHaveLength((await recordsIn(journal)).length);
});

test('full disks under both outputs: a run goes on, and records for standard output wait', async () => {
  const full = await open('/dev/full', 'w');
  onTestFinished(() => full.close());
  const { config, journal, file } = await site({ realtime: false });
  const run = startProgram(['run', config], ['ignore', full.fd, full.fd]);
  expect(await once(run, 'exit')).toEqual([0, null]);
  expect(await linesIn(file)).toHaveLength((await recordsIn(journal)).length);

  const there = await site({ realtime: true, sinks: { ndjson: { path: '-' } } });
  const service = startProgram(['run', there.config], ['ignore', full.fd, 'pipe']);
  let stderr = '';
  for await (const text of service.stderr!.setEncoding('utf8')) {
    stderr += text as string;
    // Once: a second signal ends at once.
    if (!service.killed && stderr.includes('standard output: ENOSPC')) service.kill('SIGTERM');
  }
  expect(await exitOf(service)).toEqual([0, null]);
  expect(stderr).toContain('free space there; the records wait in the journal');
  expect(stderr).toMatch(/ndjson: \d+ records wait in the journal/);
  expect(stderr).not.toContain('    at ');
});

test('`| head` ends a command quietly, and a full disk in one line', async () => {
  const directory = await temporaryDirectory();
  const video = await busyVideo(directory);
  const infer = ['infer', video, '--model', 's3d-g', '--width', '0.125', '--frames', '4', '--size', '32'];
  const command = [process.execPath, MAIN, ...infer, '--classes', '4', '--engine', 'null', '--json'];
  const shell = (to: string): { code: number | null; stderr: string } => {
    const script = `set -o pipefail; "$@" ${to}`;
    const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', ...command], { encoding: 'utf8' });
    return { code: status, stderr };
  };

  expect(shell('| head -1')).toMatchObject({
    code: 0,
    stderr: expect.not.stringContaining('error') as string,
  });
  const full = shell('> /dev/full');
  expect(full.code).toBe(1);
  expect(full.stderr).toMatch(/^error OUTPUT_UNWRITABLE: standard output: ENOSPC/m);
  expect(full.stderr).not.toContain('    at ');
});

test('`doctor` tries the path of NDJSON', async () => {
  const directory = await temporaryDirectory();
  const check = async (ndjson: string): Promise<string> => {
    const settings = {
      ...SETTINGS,
      streams: [{ id: 'a', url: 'a.mp4' }],
      sinks: { ndjson: { path: ndjson } },
    };
    const config = await writeConfig(directory, { ...settings, journal: { dir: path.join(directory, 'j') } });
    const { stdout } = await runCli(['doctor', config]);
    return stdout.split('\n').find((line) => line.includes('ndjson')) ?? '';
  };

  expect(await check(path.join(directory, 'new', 'out.ndjson'))).toMatch(/^OK.*can be opened for writing/);
  expect(await check(directory)).toMatch(/^FAIL.*it is a folder: name a file in sinks\.ndjson\.path/);
});

interface Site {
  readonly config: string;
  readonly journal: string;
  /** Of the NDJSON sink, where it is not standard output. */
  readonly file: string;
}

async function site({
  realtime,
  sinks,
}: {
  readonly realtime: boolean;
  readonly sinks?: object;
}): Promise<Site> {
  const directory = await temporaryDirectory();
  const [journal, file] = [path.join(directory, 'journal'), path.join(directory, 'new', 'out.ndjson')];
  const config = await writeConfig(directory, {
    ...SETTINGS,
    streams: [{ id: 'a', url: await busyVideo(directory), realtime }],
    journal: { dir: journal },
    sinks: sinks ?? { ndjson: { path: file } },
  });
  return { config, journal, file };
}

function startProgram(args: readonly string[], stdio: ('ignore' | 'pipe' | number)[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT, stdio });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function exitOf(child: ChildProcess): Promise<unknown> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return [child.exitCode, child.signalCode];
}

async function recordsIn(journal: string): Promise<readonly PublishedRecord[]> {
  const reader = await openJournalReader(journal);
  return (await reader.read(0, 100_000)).map(({ record }) => record);
}

async function openEpisodesIn(journal: string): Promise<readonly string[]> {
  const open = new Set<string>();
  for (const { type, payload } of await recordsIn(journal)) {
    if (type !== 'action.event') continue;
    if (payload.state === 'ended') open.delete(payload.episode_id);
    else open.add(payload.episode_id);
  }
  return [...open];
}

async function linesIn(file: string): Promise<readonly unknown[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as unknown);
}
