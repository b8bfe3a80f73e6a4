import type { Stream } from '../../../src/client/index.ts';

type Mood = 'good' | 'busy' | 'bad' | 'calm';

const STATES: Readonly<Record<string, readonly [word: string, mood: Mood]>> = {
  up: ['Live', 'good'],
  faulty: ['Bad picture', 'bad'],
  connecting: ['Connecting', 'busy'],
  stalled: ['No frames', 'bad'],
  down: ['Down', 'bad'],
  ended: ['Ended', 'calm'],
  paused: ['Paused', 'calm'],
  unknown: ['Unknown', 'bad'],
};

/** Why a stream is not up, and what to do: the table of states in docs/operations.md. */
const REASONS: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  unauthorized: ['The camera refuses the login', 'Mend user name or password of this stream'],
  not_found: ['The camera does not know this path', 'Mend the path of the address'],
  untrusted: ['The certificate of the camera is not trusted', 'Name its authority in tls.ca_file'],
  unreachable: ['The camera does not answer', 'Look at the network and at the camera’s power'],
  refused: ['The camera refuses the connection', 'Look at the camera, and at the port of the address'],
  no_frames: ['Connected, but no frame comes', 'Look at the camera and its network'],
  exit: ['The connection ended', 'Nothing: it is connected again by itself'],
  eof: ['The source ended', 'Nothing: a camera is connected again by itself'],
  black: ['The picture is black', 'Look at the light and at the camera'],
  covered: ['The picture shows next to nothing', 'See whether something covers the lens'],
  frozen: ['The picture has stopped', 'Restart the camera'],
  defocused: ['The picture is out of focus', 'Clean and focus the lens'],
  silence: ['Nothing was heard of this stream for half a minute', 'See whether the program runs'],
  start: ['Waiting for the first frame', 'Nothing; a long wait is one for a key frame'],
  reconnect: ['Connecting again', 'Nothing: it is tried without end'],
};

const GAPS: Readonly<Record<string, string>> = {
  freshest: 'dropped: more clips than the engines could take',
  failed: 'the network failed on these clips',
  not_running: 'the program was not running',
  pts_jump: 'the times of the source jumped',
  clock_set: 'the clock was set',
};

export function stateOf({ state, kind }: Pick<Stream, 'state' | 'kind'>): {
  readonly word: string;
  readonly mood: Mood;
} {
  const [word, mood] = STATES[state ?? 'connecting'] ?? [state ?? '', 'busy'];
  return { word: word === 'Live' && kind === 'file' ? 'Playing' : word, mood };
}

/** In words, with the detail that the program gives. */
export function reasonOf({ state, reason = 'start' }: Pick<Stream, 'state' | 'reason'>): {
  readonly what: string;
  readonly remedy: string;
} {
  const [what, remedy] = REASONS[state === 'unknown' ? 'silence' : reason] ?? [
    reason.replaceAll('_', ' '),
    'See the log of the program',
  ];
  return { what, remedy };
}

/** Clips that were dropped; every other gap is time without frames. */
export function isDrop(reason: string): boolean {
  return reason === 'freshest' || reason === 'failed';
}

export function gapInWords(reason: string): string {
  return GAPS[reason] ?? `no picture: ${(REASONS[reason]?.[0] ?? reason.replaceAll('_', ' ')).toLowerCase()}`;
}

const ENDS: Readonly<Record<string, string>> = {
  below_threshold: 'its score fell below the threshold',
  max_duration: 'it lasted as long as an episode may',
  discontinuity: 'the times of the source jumped',
  not_watched: 'nothing was watched for a while',
  end_of_stream: 'the recording ended',
  shutdown: 'the program was stopped',
  moved: 'another worker of the fleet watches now',
  restart: 'the program was started again',
};

export function endInWords(reason: string): string {
  return ENDS[reason] ?? reason.replaceAll('_', ' ');
}
