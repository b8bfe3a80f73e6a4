import type { SourceReport } from '../ingest/index.ts';
import { jsonSchemaOf, streamJsonSchema } from '../config/schema.ts';
import { sourceSchema } from '../config/stream-schema.ts';
import { readyRun, type CurrentRun } from './health.ts';
import {
  jsonAnswer,
  listOf,
  objectOf,
  parametersOf,
  problemAnswer,
  type JsonSchema,
  type Operation,
} from './operation.ts';
import type { StreamChanges } from './run-view.ts';
import { ONE, sourceOf, STREAM, viewOf } from './streams.ts';

const TEXT = { type: 'string' };
const NUMBER = { type: 'number' };
const INVALID = problemAnswer('A setting is wrong; `errors` names each');
const UNKNOWN = problemAnswer('No stream of that name');

const REPORT = objectOf(
  {
    ...{ source: { ...TEXT, description: 'Address, free of secrets' }, codec: TEXT },
    ...{ width: NUMBER, height: NUMBER, declared_fps: NUMBER, measured_fps: NUMBER },
    ...{ variable_frame_rate: { type: 'boolean' }, keyframe_interval_ms: NUMBER, duration_ms: NUMBER },
    notes: { ...listOf(TEXT), description: 'What is unusual about it' },
  },
  [
    ...['declared_fps', 'measured_fps', 'variable_frame_rate'],
    ...['keyframe_interval_ms', 'duration_ms', 'notes'],
  ],
);

/** Streams that are added, changed, paused and removed while the others run on. */
export function changeOperations(current: CurrentRun): readonly Operation[] {
  const admin = { tag: 'streams', role: 'admin' } as const;
  const changes = (): StreamChanges => readyRun(current).changes;
  const shown = (streamId: string): object => {
    const run = readyRun(current);
    return viewOf(sourceOf(run, streamId), run);
  };
  const changed = async (params: unknown, patch: unknown): Promise<object> => {
    const { stream_id: streamId } = parametersOf(ONE, params);
    await changes().change(streamId, patch);
    return shown(streamId);
  };
  return [
    {
      ...{ method: 'POST', url: '/api/v1/streams', ...admin },
      summary: 'Adds a stream, with the settings of a stream of the configuration file',
      body: streamJsonSchema() as unknown as JsonSchema,
      answers: {
        201: jsonAnswer('The stream', STREAM),
        400: INVALID,
        409: problemAnswer('A stream has that name already'),
      },
      handle: async ({ body }, reply) => {
        const streamId = await changes().add(body);
        void reply.header('location', `/api/v1/streams/${encodeURIComponent(streamId)}`);
        return reply.status(201).send(shown(streamId));
      },
    },
    {
      ...{ method: 'PATCH', url: '/api/v1/streams/:stream_id', ...admin },
      summary:
        'Changes settings of a stream and begins it anew: a JSON merge patch, in which null takes a setting away',
      params: ONE,
      body: { type: 'object', description: 'Settings of a stream that shall change' },
      answers: { 200: jsonAnswer('The stream', STREAM), 400: INVALID, 404: UNKNOWN },
      handle: ({ params, body }) => changed(params, body),
    },
    {
      ...{ method: 'POST', url: '/api/v1/streams/:stream_id/pause', ...admin },
      summary: 'Ends its open episodes and watches the stream no longer, until it is resumed',
      params: ONE,
      answers: { 200: jsonAnswer('The stream', STREAM), 404: UNKNOWN },
      handle: ({ params }) => changed(params, { paused: true }),
    },
    {
      ...{ method: 'POST', url: '/api/v1/streams/:stream_id/resume', ...admin },
      summary: 'Watches a paused stream again; the time between is a gap',
      params: ONE,
      answers: { 200: jsonAnswer('The stream', STREAM), 404: UNKNOWN },
      handle: ({ params }) => changed(params, { paused: false }),
    },
    {
      ...{ method: 'DELETE', url: '/api/v1/streams/:stream_id', ...admin },
      summary: 'Ends and removes a stream; its history stays',
      params: ONE,
      answers: {
        200: jsonAnswer('It is removed', objectOf({ stream_id: TEXT })),
        404: UNKNOWN,
      },
      handle: async ({ params }) => {
        const { stream_id: streamId } = parametersOf(ONE, params);
        await changes().remove(streamId);
        return { stream_id: streamId };
      },
    },
    {
      ...{ method: 'POST', url: '/api/v1/probe', ...admin },
      summary: 'Looks at a source for a few seconds before it is added',
      body: jsonSchemaOf(sourceSchema) as unknown as JsonSchema,
      answers: {
        200: jsonAnswer('What it sends', REPORT),
        400: INVALID,
        422: problemAnswer('The source cannot be used: `code` and `detail` say why'),
      },
      handle: async ({ body }) => reportOf(await changes().probe(body)),
    },
  ];
}

function reportOf(report: SourceReport): object {
  const { source, codec, width, height, declaredFps, measuredFps, variableFrameRate } = report;
  const { keyframeIntervalMs, durationMs, notes } = report;
  return {
    ...{ source, codec, width, height },
    ...(declaredFps !== undefined && { declared_fps: declaredFps }),
    ...(measuredFps !== undefined && { measured_fps: measuredFps }),
    ...(variableFrameRate !== undefined && { variable_frame_rate: variableFrameRate }),
    ...(keyframeIntervalMs !== undefined && { keyframe_interval_ms: keyframeIntervalMs }),
    ...(durationMs !== undefined && { duration_ms: durationMs }),
    ...(notes && { notes }),
  };
}
