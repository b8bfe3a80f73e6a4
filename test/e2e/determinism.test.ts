import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { PublishedRecord } from '../../src/core/records.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { endRuns, recordsOf, startRun, TINY, writeConfig } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { sceneVideo } from '../support/videos.ts';

demandNoLeftovers();
afterEach(endRuns);

test('the same file twice gives the same records, ids and order, byte for byte apart from timings', async () => {
  const directory = await temporaryDirectory();
  const { file } = await sceneVideo(directory);

  const first = await recordsOfRun(directory, file, 'first');
  const second = await recordsOfRun(directory, file, 'second');

  expect(first.events.length).toBeGreaterThanOrEqual(4);
  expect(first.events.some((event) => event.includes('"ended"'))).toBe(true);
  expect(first.clips.length).toBeGreaterThan(20);
  expect([...first.events, ...first.clips].every((record) => /"run_id":"[0-9a-f-]{36}"/.test(record))).toBe(
    true,
  );
  expect(second.events).toEqual(first.events);
  expect(second.clips).toEqual(first.clips);
  expect(second.order).toEqual(first.order);
});

interface Said {
  readonly events: readonly string[];
  readonly clips: readonly string[];
  /** Events and clips as they came. */
  readonly order: readonly string[];
}

async function recordsOfRun(directory: string, file: string, name: string): Promise<Said> {
  const config = await writeConfig(
    directory,
    {
      instance: 'twice',
      ...TINY,
      defaults: { window: { fps: 15, stride: 8 } },
      events: { on: 0.2605, off: 0.257, min_duration: '0s', update_interval: '2s' },
      streams: [{ id: 'scene', url: file }],
      journal: { dir: path.join(directory, `journal-${name}`) },
    },
    `${name}.yaml`,
  );
  const run = startRun(['run', config, '--json']);
  const { code, stderr } = await run.done;
  expect(code, stderr).toBe(0);
  const records = recordsOf(run);
  const bytesOf = (type: string): readonly string[] =>
    records.filter((record) => record.type === type).map(withoutTimings);
  return {
    events: bytesOf('action.event'),
    clips: bytesOf('clip.stats'),
    order: records.filter(({ type }) => type !== 'stream.status').map(withoutTimings),
  };
}

/** The JSON text of a record; only the values of the named keys are taken out. */
function withoutTimings(record: PublishedRecord): string {
  const timings = ['latency_ms', 'ingested_at', 'processed_at'];
  return JSON.stringify(record, (key, value: unknown) => (timings.includes(key) ? 'timing' : value));
}
