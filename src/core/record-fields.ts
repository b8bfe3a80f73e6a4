import { CLIP_RECEIPT_FIELDS, EPISODE_RECEIPT_FIELDS } from './compute.ts';
import {
  amount,
  count,
  group,
  listOf,
  number,
  optional,
  perRun,
  smallCount,
  text,
  texts,
  time,
  uuid,
} from './fields.ts';
import type { ClockSource } from './frame.ts';

/**
 * Every field of what actionstream publishes, in the order of the payload. Keys are snake_case
 * with units in names, times RFC 3339 UTC with milliseconds, unknown values omitted.
 *
 * A new field is optional, since consumers know records without it. It is a line here and its value where the
 * record is made (`src/events/action-event.ts`, `src/events/clip-stats.ts`, `src/pipeline/stream-status.ts`),
 * and a migration. Fields of the compute receipt are in compute.ts. `npm run docs` renews the schemas.
 */

export type EpisodeState = 'started' | 'updated' | 'ended';
export type EndReason =
  | 'below_threshold'
  | 'max_duration'
  | 'discontinuity'
  | 'not_watched'
  | 'end_of_stream'
  | 'shutdown'
  | 'restart'
  | 'moved';

const RUN_ID = optional(
  uuid('Only of files: the same for the same recording, stream, model and settings, and for nothing else'),
);

const MODEL = group(
  {
    id: text('Begins with untrained- where the weights are random: then labels mean nothing'),
    version: text(),
    digest: text('sha256:<hex> of the weights'),
  },
  { columnOf: (name) => `model_${name}` },
);

const PIPELINE = group(
  { instance: text(), version: perRun(text()) },
  { columnOf: (name) => `pipeline_${name}` },
);

/** Each changes nothing in what a file gives: another run may have other ones. */
const STREAM = optional(
  group(
    {
      name: optional(perRun(text('For people'))),
      site: optional(perRun(text())),
      tags: optional(perRun(texts())),
      location: optional(perRun(text())),
    },
    {
      doc: 'What the settings of the stream say of it, where they say something',
      columnOf: (name) => (name === 'name' ? 'stream_name' : name),
    },
  ),
);

/** A change of an episode: an action from onset to offset, [started_at, ended_at). */
export const ACTION_EVENT_FIELDS = {
  /** UUIDv5 of stream, label, onset and, for a file, its run. */
  episode_id: uuid('The same input gives the same id; of files run_id is part of it'),
  /** `supersedes` says which event of an episode is the truth. */
  sequence: smallCount(
    '0 for started, then 1, 2, …; with end_reason it says which event of an episode holds',
  ),
  state: text<EpisodeState>('started, updated, ended'),
  end_reason: optional(
    text<EndReason>(
      'Only when ended: below_threshold, max_duration, discontinuity, not_watched (no scored clip covers a time longer ' +
        'than merge_gap), end_of_stream, shutdown, restart, moved (another worker of the fleet watches now). Of files shutdown and restart are provisional',
    ),
  ),
  stream_id: text(),
  stream: STREAM,
  run_id: RUN_ID,
  writer_epoch: optional(
    count(
      'Only of live streams of a fleet: when its worker took the stream over. An event of a lower one is void',
    ),
  ),
  label: text(),
  label_id: smallCount(),
  region: optional(
    group(
      {
        x: optional(perRun(amount('Of the left edge'))),
        y: optional(perRun(amount('Of the upper edge'))),
        width: optional(perRun(amount())),
        height: optional(perRun(amount())),
      },
      {
        doc: 'Box around what moved while the action was seen, in parts of the width and height of the frame; absent where nothing moved',
        columnOf: (name) => `region_${name}`,
      },
    ),
  ),
  zones: optional(perRun(texts('Names of the included zones that the region touches'))),
  score: group(
    { peak: number(), mean: number(), last: number() },
    { doc: 'Smoothed scores in [0, 1]', columnOf: (name) => `score_${name}` },
  ),
  started_at: time('Event time'),
  ended_at: optional(time('Only when ended')),
  duration_ms: optional(amount()),
  /** The stride between clips. */
  resolution_ms: amount('Onset and offset are known to this grid'),
  time: group({
    clock_source: text<ClockSource>('rtcp, wallclock, media'),
    uncertainty_ms: amount(
      'How far the times of the episode may be from the truth. Live: measured, the largest of its clips; files: one frame',
    ),
    ingested_at: perRun(time()),
    processed_at: perRun(time()),
  }),
  media: group({ first_pts_us: number(), last_pts_us: number(), segment: smallCount() }),
  clips: smallCount('Clips spanned so far'),
  /** Equal to the sums over the statistics of those clips. */
  compute: group(EPISODE_RECEIPT_FIELDS),
  model: MODEL,
  pipeline: PIPELINE,
};

/** The compute receipt and best scores of one clip. */
export const CLIP_STATS_FIELDS = {
  clip_id: text(),
  clip_seq: count('Number of the clip within its stream'),
  stream_id: text(),
  run_id: RUN_ID,
  clip_start: time('Event time'),
  clip_end: time(),
  segment: smallCount(),
  frames: smallCount(),
  scores: listOf({ label: text(), score: number() }),
  compute: group(CLIP_RECEIPT_FIELDS),
  model: MODEL,
  pipeline: PIPELINE,
};

/** A stream came up, went down, or left an interval unwatched. */
export const STREAM_STATUS_FIELDS = {
  /** `<stream_id>:<instance>:<n>` */
  status_id: text('Unique, and stable on re-send'),
  stream_id: text(),
  stream: STREAM,
  run_id: RUN_ID,
  state: text<'connecting' | 'up' | 'faulty' | 'stalled' | 'down' | 'ended' | 'gap'>(
    'connecting, up, faulty (frames come, and the reason says what is wrong with the frame), stalled, down, ended, gap',
  ),
  at: time(),
  valid_until: optional(
    time(
      'From then on the state is unknown, unless it was reported again: whoever watched may be gone. Absent where it is final (ended)',
    ),
  ),
  repeats: optional(text('status_id of the report whose state goes on; this one says nothing else')),
  reason: text(
    'Of states: start, first_frame, black, covered, frozen, defocused, fault_over, pts_jump, clock_set, eof, exit, no_frames, … Of gaps: freshest, failed, not_running, ' +
      'pts_jump, clock_set, or the reason of the state down',
  ),
  detail: optional(text('For people; free of secrets')),
  gap: optional(
    group(
      { from: time(), to: time() },
      {
        doc: 'Only for gap: no scored clip covers [from, to). The state of the stream is reported again after it',
        columnOf: (name) => `gap_${name}`,
      },
    ),
  ),
  pipeline: PIPELINE,
};

const OPEN_WORLD =
  'Within v1 only optional fields are added: ignore what you do not know. Text fields with named values are open: ' +
  'expect new ones. Unknown values are left out, never null.';

/** The kinds of records, as they are published. */
export const RECORD_KINDS = {
  'action.event': {
    fields: ACTION_EVENT_FIELDS,
    schema: 'action-event',
    title: 'Action event',
    doc:
      'A change of an episode: an action from onset to offset, [started_at, ended_at). Of the events of an episode the ' +
      'highest sequence is the truth; where there are several writer_epoch, that of the highest one. ' +
      "An end of a file's episode (run_id is given) for reason shutdown or restart is " +
      'provisional: an event of the same or a higher sequence and any other reason replaces it, whichever comes first; ' +
      `of two provisional ends of one sequence the later ended_at holds. ${OPEN_WORLD}`,
  },
  'clip.stats': {
    fields: CLIP_STATS_FIELDS,
    schema: 'clip-stats',
    title: 'Clip statistics',
    doc:
      'The compute receipt and best scores of one clip, [clip_start, clip_end). May be shed when sinks are down for long. ' +
      OPEN_WORLD,
  },
  'stream.status': {
    fields: STREAM_STATUS_FIELDS,
    schema: 'stream-status',
    title: 'Stream status',
    doc:
      'A stream came up, went down, or left an interval unwatched; every eight seconds the state is repeated. After ' +
      'valid_until without another report it is unknown. The topic is compacted by stream_id. ' +
      OPEN_WORLD,
  },
} as const;

/** `$id` of the JSON Schema of a kind of record. */
export function schemaIdOf(type: keyof typeof RECORD_KINDS): string {
  return `urn:actionstream:schema:${RECORD_KINDS[type].schema}:v1`;
}
