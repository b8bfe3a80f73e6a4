import { problemOf, type ClientOptions } from './client.ts';
import type { ActionEvent, ClipStats, StreamStatus } from './records.ts';

export interface LiveOptions extends ClientOptions {
  /** Only of these streams; default: all. */
  readonly streams?: readonly string[];
  /** Only records of these types; default: all. */
  readonly types?: readonly LiveRecord['type'][];
  /** `id` of the last message that was received: everything since comes first. */
  readonly lastId?: string | undefined;
  readonly signal: AbortSignal;
}

type LiveRecord =
  | { readonly type: 'action.event'; readonly payload: ActionEvent }
  | { readonly type: 'clip.stats'; readonly payload: ClipStats }
  | { readonly type: 'stream.status'; readonly payload: StreamStatus };

/** A record with its place in the journal, or the offsets [from, to) that the journal no longer holds. */
export type LiveMessage =
  | (LiveRecord & { readonly id: string })
  | { readonly type: 'missed'; readonly payload: { readonly from: number; readonly to: number } };

/**
 * Connects to the live records. Server-sent events are read with `fetch`, since `EventSource` sends no token.
 * The messages end with the connection: to resume, call it again with the last `id`.
 *
 * @throws ApiProblem where the program refuses
 */
export async function openLive(options: LiveOptions): Promise<AsyncGenerator<LiveMessage, void, undefined>> {
  const { url, token, streams = [], types = [], lastId, signal } = options;
  const query = new URLSearchParams();
  for (const stream of streams) query.append('stream', stream);
  for (const type of types) query.append('type', type);
  const held = token?.() ?? '';
  const response = await fetch(`${url}/api/v1/live?${query.toString()}`, {
    headers: {
      accept: 'text/event-stream',
      ...(held !== '' && { authorization: `Bearer ${held}` }),
      ...(lastId !== undefined && { 'last-event-id': lastId }),
    },
    signal,
  });
  if (!response.ok || !response.body)
    throw problemOf(await response.json().catch(() => undefined), response.status);
  return messagesOf(response.body);
}

/** Server-sent events (WHATWG HTML, section 9.2.6), as far as our server writes them. */
async function* messagesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<LiveMessage, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const message = messageOf(block);
        if (message) yield message;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Undefined for a comment, which only keeps the connection. */
function messageOf(block: string): LiveMessage | undefined {
  const fields = new Map(
    block.split('\n').flatMap((line): [string, string][] => {
      const [, field, value] = /^(id|event|data): (.*)$/.exec(line) ?? [];
      return field === undefined || value === undefined ? [] : [[field, value]];
    }),
  );
  const data = fields.get('data');
  if (data === undefined) return undefined;
  return {
    type: fields.get('event'),
    id: fields.get('id'),
    payload: JSON.parse(data) as unknown,
  } as LiveMessage;
}
