import type { Point } from '../core/region.ts';
import { streamEventsSchema } from './events-schema.ts';
import {
  between,
  choice,
  flag,
  fraction,
  instant,
  list,
  overrides,
  percentage,
  secret,
  section,
  text,
  upTo,
  wait,
  wholeBetween,
  wholeFrom,
} from '../settings/fields.ts';
import { asFlag } from '../settings/flags.ts';
import { streamSamplerSchema } from './sampler-schema.ts';
import { z } from 'zod';

const windowShape = {
  stride: asFlag(
    wholeBetween([1, 100_000], "Frames between clip starts. Default: the model's own."),
    '--clip-stride <n>',
  ).optional(),
  fps: asFlag(
    upTo(1000, "Frames a second that the model sees. Default: the model's own."),
    '--fps <r>',
  ).optional(),
  tail: choice(
    ['drop', 'pad'],
    'The frames after the last full clip of a segment: dropped, or filled up to a full clip with the last one.',
  ).default('pad'),
};
const tls = section(
  {
    ca_file: asFlag(
      text("Authorities to trust, PEM, or the camera's own certificate. Default: those of this machine."),
      '--ca-file <file>',
    ).optional(),
    server_name: asFlag(
      text('Name that the certificate must carry, where it is not the host of the URL.'),
      '--server-name <name>',
    ).optional(),
    insecure: asFlag(
      flag(
        'Accept any certificate: anyone on the way can read the password and change the video. Each connection logs it.',
      ),
      '--insecure',
    ).default(false),
  },
  'How the certificate of an https, rtsps or rtmps source is checked. As a whole: what a stream says here replaces what `defaults` say.',
);
const audit = section(
  {
    share: asFlag(
      percentage(
        'Share of clips that are audited; ten times as many for a while where δ is in doubt. 0%: none.',
      ),
      '--audit <share>',
    ).prefault('1%'),
    agreement: asFlag(
      between(
        [0.5, 0.995],
        'Floor: least share of decisions that must be those of the dense network. A decision is a window and label, at the threshold; under softmax a window.',
      ),
      '--audit-agreement <a>',
    ).default(0.98),
  },
  'Live streams: a share of clips also runs through the dense network, when engines are idle. δ goes down where the lower confidence bound of the agreement falls under the floor, at worst to dense, and up again. `{}`: with the defaults. Absent: no audit. As a whole: what a stream says here replaces what `defaults` say.',
);
const reconnectShape = {
  first: wait('100ms', 'Delay before the first try.').prefault('1s'),
  max: wait('100ms', 'Longest delay; it doubles each time.').prefault('30s'),
  max_attempts: wholeFrom(0, 'Failures in a row after which the stream is given up; 0: never.')
    .transform((most) => (most === 0 ? Infinity : most))
    .prefault(0),
};
const LONGEST_LINE = 200;

/** It becomes a header of Kafka and a label of metrics. */
function line(meaning: string) {
  const error = `expected text of one line, at most ${LONGEST_LINE} characters`;
  return z
    .string({ error })
    .regex(/^[^\p{Cc}]*[^\p{Cc}\s][^\p{Cc}]*$/u, { error })
    .max(LONGEST_LINE, { error })
    .meta({ description: meaning });
}

const MOST_TAGS = 32;
const tagError = 'expected 1 to 64 letters, digits, dots, dashes, colons and underscores';
const tags = list(
  z.string({ error: tagError }).regex(/^[\p{L}\p{N}._:-]{1,64}$/u, { error: tagError }),
  'Words to find the stream and its events by.',
).max(MOST_TAGS, { error: `expected at most ${MOST_TAGS} tags` });

const corner = z
  .array(fraction('Of the width and of the height, from the upper left corner.'))
  .length(2, { error: 'expected two numbers, such as [0.25, 0.5]' })
  .transform(([x = 0, y = 0]): Point => ({ x, y }));
const MOST_CORNERS = 64;
const MOST_AREAS = 32;
const cornersError = `expected 3 to ${MOST_CORNERS} corners, such as [[0, 0], [0.5, 0], [0.5, 1]]`;
const polygon = list(corner, 'Corners in order: parts of the width and height of the frame.')
  .min(3, { error: cornersError })
  .max(MOST_CORNERS, { error: cornersError });
const zone = section(
  {
    name: line('Events name the included zones that their region touches.'),
    kind: choice(
      ['include', 'exclude'],
      '`include`: what lies in no included zone is blank. `exclude`: the zone is blank.',
    ),
    points: polygon,
  },
  'An area of the frame.',
);
const areasError = `expected at most ${MOST_AREAS} areas`;
const areaShape = {
  zones: list(zone, 'Areas of the frame that are looked at, or not.').max(MOST_AREAS, {
    error: areasError,
  }),
  masks: list(polygon, 'Areas that are blank to the network and in snapshots: polygons like `points`.').max(
    MOST_AREAS,
    { error: areasError },
  ),
};

const faultsShape = {
  after: wait('100ms', 'A frame that is black, covered or out of focus for so long is a fault.').prefault(
    '10s',
  ),
  frozen_after: wait('100ms', 'A frame that repeats itself for so long is a fault.').prefault('1m'),
  clear_after: wait('100ms', 'A fault ends once the frame was well for so long.').prefault('3s'),
  black_below: fraction('Black: 98 % of the frame are darker, of white. 0: never a fault.').default(0.1),
  covered_below: fraction(
    'Covered: the standard deviation of the brightness is lower, of white. 0: never a fault.',
  ).default(0.02),
  defocused_below: fraction(
    'Out of focus: the sharpness is lower, of the usual one of this camera. 0: never a fault.',
  ).default(0.35),
};
const faultsMeaning =
  'When what a camera shows is a fault. What ends one is a quarter more than what begins it.';

const streamShape = {
  kind: choice(
    ['live', 'file'],
    '`live`: endless, reconnects. `file`: ends at its end. Default: file for http, https, ftp, sftp and paths; live for the rest and for .sdp files.',
  ).optional(),
  realtime: asFlag(
    flag(
      'A file is read no faster than it was filmed, as if it were a camera; its policy is `freshest` by default.',
    ),
    '--realtime',
  ).default(false),
  policy: choice(
    ['every_frame', 'freshest'],
    '`every_frame`: the decoder waits for inference. `freshest`: the oldest waiting clip is dropped. Default: every_frame for files that are not `realtime`.',
  ).optional(),
  transport: choice(
    ['auto', 'tcp', 'udp', 'multicast'],
    'How RTSP media travel. `auto`: inside the RTSP connection (tcp); over UDP where the camera refuses that (461).',
  ).default('auto'),
  fit: choice(
    ['stretch', 'crop'],
    "How a frame is brought to the size of the model. Default: the model's own, else `stretch`.",
  ).optional(),
  media: flag('Snapshots and clips of its episodes are kept, where `media.dir` is set.').default(true),
  no_frame_timeout: wait('100ms', 'A source without frames for so long is stalled.').prefault('10s'),
  queue_clips: wholeBetween([1, 1000], 'Clips of a stream that may wait for inference.').default(4),
  site: line('Where the stream belongs: a branch, a building, a customer. Events carry it.').optional(),
};

export const defaultsSchema = section(
  {
    ...streamShape,
    window: section(windowShape, 'How frames become clips.').prefault({}),
    faults: section(faultsShape, faultsMeaning).prefault({}),
    reconnect: section(reconnectShape, 'When a live source is lost.').prefault({}),
    tls: tls.optional(),
    audit: audit.optional(),
  },
  'For all streams; a stream may set each of its own.',
);

/** Safe in topics, metrics, file names and clip ids. */
const STREAM_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const idError = 'expected letters, digits, dots, dashes and underscores, at most 128';

const accessShape = {
  url: text('Camera or file: an address (docs/sources.md lists which) or a path.'),
  username: text('Of the camera, where the URL does not carry it.').optional(),
  password: secret('Of the camera, where the URL does not carry it.').optional(),
};

/** A source that is looked at before it becomes a stream. */
export const sourceSchema = section(
  { ...accessShape, transport: overrides(streamShape).transport, tls: tls.optional() },
  'A camera or file, and how it is reached.',
);

const streamSchema = section(
  {
    id: z
      .string({ error: idError })
      .regex(STREAM_ID, { error: idError })
      .meta({ description: 'Name of the stream: key of its events. Must not change.' }),
    name: line('What people call the stream. Events carry it.').optional(),
    tags: tags.optional(),
    zones: areaShape.zones.optional(),
    masks: areaShape.masks.optional(),
    location: line('Where it is: in words, an address or coordinates. Events carry it.').optional(),
    ...accessShape,
    paused: flag('Declared, but not watched.').default(false),
    password_file: text('File that holds the password.').optional(),
    models: list(
      text('A trained model, as in `model.path`.'),
      'Models whose labels this stream has, in place of `model`. All models of a run share one pass of the network, so they must be taught on one backbone.',
    )
      .min(1, { error: 'expected at least one model' })
      .optional(),
    start_time: instant(
      'When the first frame of a file was filmed. Default: 1970-01-01T00:00:00Z.',
    ).optional(),
    ...overrides(streamShape),
    window: section(overrides(windowShape), 'How frames become clips.').prefault({}),
    faults: section(overrides(faultsShape), faultsMeaning).prefault({}),
    reconnect: section(overrides(reconnectShape), 'When the source is lost.').prefault({}),
    tls: tls.optional(),
    audit: audit.optional(),
    sampler: streamSamplerSchema.prefault({}),
    events: streamEventsSchema.prefault({}),
  },
  'A camera or file.',
);

export const streamsSchema = list(
  streamSchema,
  'Cameras and files. At least one; with `http.port` others may be added while the program runs, so none is enough.',
);
