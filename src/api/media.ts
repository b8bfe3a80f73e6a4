import { createReadStream } from 'node:fs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { MediaFile, MediaKind, MediaReader } from '../media/types.ts';
import { readyRun, type CurrentRun } from './health.ts';
import { objectOf, parametersOf, problemAnswer, type Answer, type Operation } from './operation.ts';
import { Problem } from './problem.ts';

export const EPISODE = z.object({ episode_id: z.uuid() });

const TEXT = { type: 'string' };
const TIME = { type: 'string', format: 'date-time' };

/** What an episode's answer adds to `media` where video is kept. */
export const MEDIA = objectOf(
  {
    state: {
      type: 'string',
      enum: ['kept', 'pending', 'none'],
      description: 'pending: the clip is made once the episode and the time after it are over',
    },
    snapshot: { ...TEXT, description: 'Path of the snapshot, JPEG at full size' },
    snapshot_at: { ...TIME, description: 'Event time that it shows' },
    clip: { ...TEXT, description: 'Path of the clip, MP4' },
    clip_from: { ...TIME, description: 'Event time with which the clip begins' },
    clip_to: { ...TIME, description: 'Event time with which it ends' },
    codec: { ...TEXT, description: 'Of the clip, as the source sends it: h264, hevc' },
    note: { ...TEXT, description: 'What is missing or may not play, and why' },
  },
  ['state', 'snapshot', 'snapshot_at', 'clip', 'clip_from', 'clip_to', 'codec', 'note'],
);

/** Undefined where no video is kept at all. */
export async function mediaOf(
  episodeId: string,
  reader: MediaReader | undefined,
): Promise<object | undefined> {
  if (!reader) return undefined;
  const found = await reader.find(episodeId);
  if (found.state !== 'kept') return found;
  const { clip, snapshot_at: at, note } = found.kept;
  const base = `/api/v1/events/${episodeId}`;
  return {
    state: 'kept',
    ...(at !== undefined && { snapshot: `${base}/snapshot.jpg`, snapshot_at: at }),
    ...(clip && { clip: `${base}/clip.mp4`, clip_from: clip.from, clip_to: clip.to, codec: clip.codec }),
    ...(note !== undefined && { note }),
  };
}

/** Snapshots and clips of episodes. */
export function mediaOperations(current: CurrentRun): readonly Operation[] {
  return [
    {
      ...{ method: 'GET', url: '/api/v1/events/:episode_id/snapshot.jpg', tag: 'history', role: 'read' },
      summary: 'One frame of the episode at full size, where media are kept',
      params: EPISODE,
      answers: { 200: fileAnswer('The snapshot', 'image/jpeg'), ...partsOf('image/jpeg') },
      handle: (request, reply) => sendMedia({ current, request, reply, kind: 'snapshot' }),
    },
    {
      ...{ method: 'GET', url: '/api/v1/events/:episode_id/clip.mp4', tag: 'history', role: 'read' },
      summary: 'The episode as video, with some time before and after it; takes `Range`',
      params: EPISODE,
      answers: { 200: fileAnswer('The clip', 'video/mp4'), ...partsOf('video/mp4') },
      handle: (request, reply) => sendMedia({ current, request, reply, kind: 'clip' }),
    },
  ];
}

const TYPES = { snapshot: 'image/jpeg', clip: 'video/mp4' } as const satisfies Record<MediaKind, string>;

function fileAnswer(description: string, type: string): Answer {
  return { description, content: { [type]: { schema: TEXT } } };
}

function partsOf(type: string): Readonly<Record<number, Answer>> {
  return {
    206: fileAnswer('The bytes asked for', type),
    404: problemAnswer('No such file is kept'),
    416: problemAnswer('The file has no such bytes'),
  };
}

async function sendMedia({
  current,
  request,
  reply,
  kind,
}: {
  readonly current: CurrentRun;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly kind: MediaKind;
}): Promise<FastifyReply> {
  const { episode_id: id } = parametersOf(EPISODE, request.params);
  const file = await readyRun(current).media?.open(id.toLowerCase(), kind);
  if (!file) throw new Problem(404, 'NOT_FOUND', `no ${kind} of episode ${id} is kept`);
  const range = rangeOf(request.headers.range, file);
  void reply
    .type(TYPES[kind])
    .header('accept-ranges', 'bytes')
    .header('cache-control', 'private, no-cache')
    .header('x-content-type-options', 'nosniff')
    .header('last-modified', new Date(file.modifiedAtMs).toUTCString());
  if (!range) return reply.header('content-length', file.bytes).send(createReadStream(file.path));
  const { first, last } = range;
  return reply
    .status(206)
    .header('content-range', `bytes ${first}-${last}/${file.bytes}`)
    .header('content-length', last - first + 1)
    .send(createReadStream(file.path, { start: first, end: last }));
}

/**
 * The one range of a request (RFC 9110, section 14); undefined where it asks for the whole, for several
 * ranges, or in a way that is not understood.
 * @throws Problem 416
 */
function rangeOf(
  header: string | undefined,
  { bytes }: MediaFile,
): { readonly first: number; readonly last: number } | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const first = from === '' ? Math.max(0, bytes - Number(to)) : Number(from);
  const last = from === '' || to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (first <= last) return { first, last };
  throw new Problem(416, 'BAD_REQUEST', `the file has ${bytes} bytes`);
}
