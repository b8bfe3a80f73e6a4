import { expect, onTestFinished, test } from 'vitest';
import { serveApi, type Served } from '../../support/api.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';

interface Message {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
}

/** Reads server-sent events, one after the other (WHATWG HTML, section 9.2.6). */
async function* messagesOf(url: string, lastId?: string): AsyncGenerator<Message, void, undefined> {
  const stop = new AbortController();
  onTestFinished(() => {
    stop.abort();
  });
  const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
  const response = await fetch(url, { headers, signal: stop.signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const message = Object.fromEntries(
        block.split('\n').flatMap((line) => {
          const [, field, value] = /^(id|event|data): (.*)$/.exec(line) ?? [];
          return field === undefined ? [] : [[field, value]];
        }),
      ) as Message;
      if (message.event !== undefined) yield message;
    }
  }
}

async function take(
  messages: AsyncGenerator<Message, void, undefined>,
  count: number,
): Promise<readonly Message[]> {
  const taken: Message[] = [];
  while (taken.length < count) {
    const { value, done } = await messages.next();
    if (done) throw new Error(`the stream ended after ${taken.length} events`);
    taken.push(value);
  }
  return taken;
}

const records = [
  streamStatus(),
  clipStats(),
  actionEvent(),
  clipStats({ clip_seq: 1 }),
  actionEvent({ episode: 1 }),
];

test('a reader that names its last event gets every later record once, also those that come afterwards', async () => {
  const { url, publish } = await serveApi();
  await publish(records.slice(0, 3));
  const messages = messagesOf(`${url}/api/v1/live`, '0');

  const before = await take(messages, 2);
  await publish(records.slice(3));
  const after = await take(messages, 2);

  const all = [...before, ...after];
  expect(all.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
  expect(all.map(({ event }) => event)).toEqual(['clip.stats', 'action.event', 'clip.stats', 'action.event']);
  expect(all.map(({ data }) => JSON.parse(data ?? '') as unknown)).toEqual(
    records.slice(1).map(({ payload }) => payload),
  );
});

test('a new reader gets what comes from now on, of the streams and types that it names', async () => {
  const { url, publish } = await serveApi();
  await publish(records.slice(0, 1));
  const messages = messagesOf(`${url}/api/v1/live?stream=cam-9&type=action.event&type=stream.status`);
  const first = messages.next();
  await readersOf(url);
  await publish([...records, clipStats({ stream_id: 'cam-9' }), actionEvent({ stream_id: 'cam-9' })]);

  const { value } = await first;

  expect(value).toMatchObject({ event: 'action.event', id: '7' });
});

test('an id that is none is refused', async () => {
  const { url } = await serveApi();
  const response = await fetch(`${url}/api/v1/live`, { headers: { 'last-event-id': 'yesterday' } });
  expect([response.status, await response.json()]).toEqual([
    400,
    expect.objectContaining({ detail: expect.stringContaining('Last-Event-ID') as string }),
  ]);
});

/** The server has seen the requests before this one: it answers in order of arrival. */
async function readersOf(url: Served['url']): Promise<void> {
  await (await fetch(`${url}/livez`)).text();
}
