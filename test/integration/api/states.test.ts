import { expect, test } from 'vitest';
import { createClient, stateAt } from '../../../src/client/index.ts';
import { serveApi } from '../../support/api.ts';
import { streamStatus } from '../../support/records.ts';

test('a state that was not repeated in time is unknown', async () => {
  const { url, run } = await serveApi();
  const api = createClient({ url });
  const shown = async () => {
    const params = { path: { stream_id: 'cam-1' } };
    return (await api.GET('/api/v1/streams/{stream_id}', { params })).data;
  };
  const until = (ms: number): string => new Date(Date.now() + ms).toISOString();
  const [past, future] = [until(-1000), until(60_000)];

  run.newest.onStatus(streamStatus({ valid_until: future }).payload);
  expect(await shown()).toMatchObject({ state: 'up', valid_until: future });
  run.newest.onStatus(streamStatus({ valid_until: past }).payload);
  expect(await shown()).toMatchObject({ state: 'unknown', reason: 'start', valid_until: past });
  run.newest.onStatus(streamStatus({ state: 'ended' }).payload);
  expect(await shown()).toMatchObject({ state: 'ended' });
});

test('the typed client tells what a status is worth', () => {
  const status = { state: 'up', valid_until: '2026-11-22T10:00:25.000Z' };
  const at = (text: string): string => stateAt(status, Date.parse(text));

  expect(at('2026-11-22T10:00:24.999Z')).toBe('up');
  expect(at('2026-11-22T10:00:25.000Z')).toBe('unknown');
  expect(stateAt({ state: 'ended' }, Date.parse('2036-01-01'))).toBe('ended');
});
