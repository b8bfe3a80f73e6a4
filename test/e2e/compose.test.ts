import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import { ROOT } from '../support/cli.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { temporaryDatabase } from '../support/names.ts';
import { endRuns, startRun, terminate } from '../support/runs.ts';
import { kcat, psql } from '../support/strangers.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

demandNoLeftovers();
afterEach(endRuns);

const TOKENS = path.join(ROOT, 'deploy', 'compose', 'tokens');
const [, TOKEN = ''] = readFileSync(TOKENS, 'utf8').trim().split(' ');
const EVENTS = 'actionstream.action.event.v1';

// Services as processes instead of containers: the same commands and configuration, other addresses.
test('what compose.yaml starts brings events of its cameras to Kafka and Postgres', async () => {
  const directory = await temporaryDirectory();
  const [hall, ward] = await startCameras();
  const [broker] = inject('kafkaBrokers');
  const database = new URL(await temporaryDatabase());
  const config = path.join(directory, 'site.yaml');
  writeFileSync(
    config,
    replaceEach(readFileSync(path.join(ROOT, 'deploy', 'compose', 'site.yaml'), 'utf8'), [
      ['rtsp://cameras:8554/hall', hall!],
      ['rtsp://cameras:8555/ward', ward!],
      ['kafka:9092', broker!],
      ['postgres://actionstream@postgres:5432/actionstream', database.href],
      ['/data/journal', path.join(directory, 'journal')],
      ['/etc/actionstream/tokens', TOKENS],
      ['port: 8080', 'port: 0'],
      ['port: 9464', 'port: 0'],
    ]),
  );
  const run = startRun(['run', config], { POSTGRES_PASSWORD: TOKEN });
  const served = /"url":"http:[^"]*:(\d+)"[^\n]*the HTTP API is served/;
  const [, port] = served.exec(await run.said(served))!;

  const subjects = async (): Promise<readonly string[]> =>
    (await kcat(inject('kafkaBrokers'), EVENTS)).map(({ key }) => key);
  await expect.poll(subjects, { timeout: 120_000, interval: 1000 }).toContain('ward');
  const stored = (): Promise<readonly object[]> =>
    psql(database.href, 'SELECT DISTINCT stream_id FROM actionstream.action_events ORDER BY 1');
  await expect.poll(stored, { timeout: 120_000 }).toContainEqual({ stream_id: 'ward' });
  const ask = (token: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/api/v1/streams`, { headers: { authorization: `Bearer ${token}` } });
  expect((await ask('another')).status).toBe(401);
  expect((await ask(TOKEN)).status).toBe(200);

  const { code, stderr } = await terminate(run);
  expect(code, stderr).toBe(0);
});

/** Starts the image target `cameras` as its Dockerfile does, on ports that are free. */
async function startCameras(): Promise<readonly string[]> {
  const dockerfile = readFileSync(path.join(ROOT, 'deploy', 'Dockerfile'), 'utf8');
  const command = JSON.parse(/^CMD (\[.*cameras\.ts.*\])$/m.exec(dockerfile)![1]!) as [string, ...string[]];
  const cameras = spawn(command[0], [...command.slice(1), '--port', '0', '--port', '0'], { cwd: ROOT });
  onTestFinished(async () => {
    cameras.kill();
    await once(cameras, 'close');
  });
  const urls: string[] = [];
  for await (const line of createInterface(cameras.stdout)) if (urls.push(line) === 2) break;
  return urls;
}

function replaceEach(text: string, pairs: readonly (readonly [from: string, to: string])[]): string {
  return pairs.reduce((changed, [from, to]) => {
    expect(changed).toContain(from);
    return changed.replace(from, to);
  }, text);
}
