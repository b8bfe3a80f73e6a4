import { z } from 'zod';
import type { StreamReading } from '../metrics/run-metrics.ts';
import { redactUrl } from '../core/redact.ts';
import { readyRun, type CurrentRun } from './health.ts';
import {
  jsonAnswer,
  listOf,
  objectOf,
  parametersOf,
  problemAnswer,
  recordOf,
  word,
  type Operation,
} from './operation.ts';
import { pngOf } from './png.ts';
import { Problem } from './problem.ts';
import type { RunView, StreamSource } from './run-view.ts';

const COUNTS = { type: 'object', additionalProperties: { type: 'integer' } };
const WHOLE = { type: 'integer', minimum: 0 };

export const STREAM = objectOf(
  {
    stream_id: { type: 'string' },
    name: { type: 'string', description: 'For people' },
    site: { type: 'string' },
    tags: listOf({ type: 'string' }),
    location: { type: 'string' },
    source: { type: 'string', description: 'Address, free of secrets' },
    kind: { type: 'string', enum: ['live', 'file'] },
    origin: {
      type: 'string',
      enum: ['file', 'command_line', 'api'],
      description: 'Who declared it: the configuration file, the command line, a request',
    },
    changed: { type: 'boolean', description: 'Settings of the file were changed by requests' },
    state: {
      type: 'string',
      description:
        'connecting, up, faulty (frames come, but show nothing), stalled, down, ended or paused; stopping: its last ' +
        'records are journalled; elsewhere: another worker of the fleet watches it; unknown: not reported again in time',
    },
    reason: { type: 'string', description: 'Of the state' },
    detail: { type: 'string', description: 'Of the state, for people' },
    since: { type: 'string', format: 'date-time', description: 'When the state began' },
    valid_until: {
      ...{ type: 'string', format: 'date-time' },
      description: 'The state is unknown from then on, unless it was reported again',
    },
    queue: objectOf({ length: WHOLE, capacity: WHOLE }),
    frames_decoded: WHOLE,
    clips: { ...WHOLE, description: 'Scored and journalled' },
    clips_dropped: COUNTS,
    frames_dropped: COUNTS,
    reconnects: COUNTS,
    kept_steps: WHOLE,
    input_steps: WHOLE,
    multiply_adds: objectOf({
      used: { type: 'number' },
      dense: { type: 'number' },
      reused: { type: 'number' },
    }),
    newest_clip: recordOf('clip.stats'),
    open_episodes: listOf(recordOf('action.event')),
  },
  ['name', 'site', 'tags', 'location', 'state', 'reason', 'detail', 'since', 'valid_until', 'newest_clip'],
);

export const ONE = z.object({ stream_id: word.meta({ description: 'As in the configuration' }) });
const NOT_FOUND = problemAnswer('No stream of that name');

/** What each stream does now. */
export function streamOperations(current: CurrentRun): readonly Operation[] {
  return [
    {
      ...{ method: 'GET', url: '/api/v1/streams', tag: 'streams', role: 'read' },
      summary: 'All streams: state, queue, counters, newest clip, open episodes',
      answers: { 200: jsonAnswer('The streams', objectOf({ streams: listOf(STREAM) })) },
      handle: () => {
        const run = readyRun(current);
        return Promise.resolve({ streams: run.streams.map((source) => viewOf(source, run)) });
      },
    },
    {
      ...{ method: 'GET', url: '/api/v1/streams/:stream_id', tag: 'streams', role: 'read' },
      summary: 'One stream',
      params: ONE,
      answers: { 200: jsonAnswer('The stream', STREAM), 404: NOT_FOUND },
      handle: ({ params }) => {
        const run = readyRun(current);
        return Promise.resolve(viewOf(sourceOf(run, idOf(params)), run));
      },
    },
    {
      ...{ method: 'GET', url: '/api/v1/streams/:stream_id/snapshot', tag: 'streams', role: 'read' },
      summary: 'The last frame of the newest scored clip, as the network saw it',
      params: ONE,
      answers: {
        200: { description: 'The frame', content: { 'image/png': { schema: { type: 'string' } } } },
        404: NOT_FOUND,
      },
      handle: async ({ params }, reply) => {
        const run = readyRun(current);
        const { streamId } = sourceOf(run, idOf(params));
        const { frame } = run.newest.of(streamId);
        if (!frame) throw new Problem(404, 'NOT_FOUND', `stream ${streamId} has no scored clip yet`);
        return reply.type('image/png').header('cache-control', 'no-store').send(pngOf(frame));
      },
    },
  ];
}

function idOf(params: unknown): string {
  return parametersOf(ONE, params).stream_id;
}

/** @throws Problem 404 */
export function sourceOf(run: RunView, wanted: string): StreamSource {
  const source = run.streams.find(({ streamId }) => streamId === wanted);
  if (source) return source;
  throw new Problem(404, 'NOT_FOUND', `no stream is named ${wanted}; GET /api/v1/streams lists them`);
}

export function viewOf(source: StreamSource, run: RunView): object {
  const { streamId, about, url, kind, origin, changed } = source;
  const { stats } = run.newest.of(streamId);
  const reading = run.reading().streams.find((stream) => stream.streamId === streamId);
  return {
    ...{ stream_id: streamId, ...about, source: redactUrl(url), kind, origin, changed },
    ...stateOf(source, run),
    ...countersOf(reading),
    ...(stats && { newest_clip: stats }),
    open_episodes: run.journal.openEpisodes().filter(({ stream_id: id }) => id === streamId),
  };
}

/** The stream's own last word, but where somebody has asked it to stop. */
function stateOf({ streamId, state }: StreamSource, run: RunView): object {
  const { status } = run.newest.of(streamId);
  const wanted = ['paused', 'stopping', 'elsewhere'].includes(state) ? state : undefined;
  if (!status) return wanted === undefined ? {} : { state: wanted };
  const { reason, at: since, detail, valid_until: until } = status;
  const isOver = until !== undefined && Date.parse(until) <= Date.now();
  return {
    ...{ state: wanted ?? (isOver ? 'unknown' : status.state), reason, since },
    ...(until !== undefined && { valid_until: until }),
    ...(detail !== undefined && { detail }),
  };
}

function countersOf(reading: StreamReading | undefined): object {
  const { counters, queue, clips = 0, keptSteps = 0, inputSteps = 0, multiplyAdds } = reading ?? {};
  return {
    queue: { length: queue?.length ?? 0, capacity: queue?.capacity ?? 0 },
    frames_decoded: counters?.framesDecoded ?? 0,
    ...{ clips, kept_steps: keptSteps, input_steps: inputSteps },
    clips_dropped: counters?.clipsDropped ?? {},
    frames_dropped: counters?.framesDropped ?? {},
    reconnects: counters?.reconnects ?? {},
    multiply_adds: multiplyAdds ?? { used: 0, dense: 0, reused: 0 },
  };
}
