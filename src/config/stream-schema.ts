import { streamEventsSchema } from './events-schema.ts';
import {
  between,
  choice,
  flag,
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
};

export const defaultsSchema = section(
  {
    ...streamShape,
    window: section(windowShape, 'How frames become clips.').prefault({}),
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
