import { expect, test } from 'vitest';
import { parseTokens } from '../../../src/api/tokens.ts';
import { serveApi } from '../../support/api.ts';
import { actionEvent } from '../../support/records.ts';

test('words on an event are kept with their time and name, and the newest comes first', async () => {
  const tokens = parseTokens(
    'admin admin-0123456789abc jana\nadmin admin-0123456789abd\nread reader-0123456789ab',
  );
  const { url, publish } = await serveApi({ tokens });
  const event = actionEvent({ state: 'ended' });
  await publish([event]);
  const { episode_id: id } = event.payload;
  const say = async (token: string, body: object, episode = id): Promise<readonly [number, unknown]> => {
    const response = await fetch(`${url}/api/v1/events/${episode}/feedback`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return [response.status, await response.json()];
  };

  const wrong = await say('admin-0123456789abc', { verdict: 'wrong' });
  const other = await say('admin-0123456789abd', { verdict: 'other', label: ' fall ' });

  expect(wrong).toEqual([201, { verdict: 'wrong', by: 'jana', at: expect.stringMatching(/Z$/) as string }]);
  expect(other).toMatchObject([201, { verdict: 'other', label: 'fall', by: 'admin' }]);
  const headers = { authorization: 'Bearer reader-0123456789ab' };
  expect(await (await fetch(`${url}/api/v1/events/${id}`, { headers })).json()).toEqual({
    ...event.payload,
    feedback: [other[1], wrong[1]],
  });
  expect((await say('reader-0123456789ab', { verdict: 'right' }))[0]).toBe(403);
  expect(
    (await say('admin-0123456789abc', { verdict: 'right' }, '00000000-0000-4000-8000-000000000000'))[0],
  ).toBe(404);
  for (const body of [
    ...[{}, { verdict: 'maybe' }, { verdict: 'other' }, { verdict: 'right', label: 'fall' }],
    ...[
      { verdict: 'other', label: 'a|b' },
      { verdict: 'other', label: event.payload.label },
    ],
  ])
    expect((await say('admin-0123456789abc', body))[0], JSON.stringify(body)).toBe(400);
});
