import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../tools/local/free-port.ts';
import { runCli } from '../support/cli.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { endRuns, startRun, terminate, writeConfig } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

demandNoLeftovers();
afterEach(endRuns);

/** No text that an operator sees may hold it. */
const CANARY = 'c4nary-9d2e';
/** Nobody listens there: every part says what it could not reach. */
const NOBODY = '127.0.0.1:1';

test('no secret of a configuration is in what `doctor` says, in /metrics or in the log', async () => {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const config = await writeConfig(directory, {
    model: { network: 's3d-g', width: 0.125, frames: 4, size: 32, classes: 2 },
    engine: { kind: 'null' },
    defaults: { reconnect: { first: '100ms', max: '200ms' } },
    streams: [
      { id: 'gate', url: `rtsp://viewer:${CANARY}@${NOBODY}/1` },
      { id: 'yard', url: `rtsp://${NOBODY}/1`, username: 'viewer', password: CANARY },
      { id: 'door', url: `rtsp://${NOBODY}/user=viewer_password=${CANARY}_channel=1_stream=0.sdp` },
    ],
    journal: { dir: path.join(directory, 'journal'), max_size: '8MiB' },
    sinks: {
      kafka: { brokers: [NOBODY], sasl: { mechanism: 'plain', username: 'viewer', password: CANARY } },
      postgres: { url: `postgres://viewer:${CANARY}@${NOBODY}/events` },
    },
    metrics: { port },
  });

  const doctor = await Promise.all([runCli(['doctor', config]), runCli(['doctor', config, '--json'])]);
  const run = startRun(['run', config]);
  const metrics = await metricsOnce(port, /^actionstream_stream_reconnects_total\{.*stream_id="door"/m);
  const end = await terminate(run);

  for (const { stdout } of doctor) {
    expect(stdout).toContain('kafka');
    expect(stdout).toContain('postgres');
  }
  expect(end.stderr).toContain('stream down');
  const said = [metrics, end.stderr, ...doctor.flatMap(({ stdout, stderr }) => [stdout, stderr])];
  for (const text of said) expect(text).not.toContain(CANARY);
});

/** The figures, once a line of them matches. */
async function metricsOnce(port: number, line: RegExp): Promise<string> {
  for (;;) {
    const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      (response) => response.text(),
      () => '',
    );
    if (line.test(text)) return text;
    await delay(200);
  }
}
