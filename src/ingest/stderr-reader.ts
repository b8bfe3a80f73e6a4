/** What ffmpeg says of an input when it has opened it. */
export interface InputDescription {
  /** Its demuxer, as ffmpeg calls it: `mpegts`; of network sources that of our playlist, `concat`. */
  readonly format?: string;
  /** Length that the container declares; absent where it declares none. */
  readonly declaredMs?: number;
  /** Codec of a video stream, as ffmpeg calls it: `mjpeg`. */
  readonly codec?: string;
  /** Width over height as displayed, of a video stream whose size is known. */
  readonly shape?: number;
}

/** A piece of the kept video, [startS, endS) on the clock of the source. */
export interface WrittenSegment {
  readonly name: string;
  readonly startS: number;
  readonly endS: number;
}

/** ffmpeg's stderr: one pts a frame, what it says of its input, and messages. */
export interface StderrHandlers {
  /** Microseconds as the source sent them; undefined where it sent none. One call a frame, in order. */
  readonly onPts: (ptsUs: number | undefined) => void;
  readonly onInput: (described: InputDescription) => void;
  readonly onSegment?: (written: WrittenSegment) => void;
  /** An error, or a warning that tells why frames are missing. */
  readonly onMessage: (line: string) => void;
  /** Any other warning: of interest only in numbers. */
  readonly onWarning: (line: string) => void;
}

/**
 * `metadata=print` writes this in one go, but it may land in the middle of a
 * message that is written in parts.
 */
const PTS_LINE = /frame:\d+\s+pts:(-?\d+|\S+)\s+pts_time:\S+\n(?:m=1\n)?/g;
/** A line of the list of kept segments (ffmpeg-command.ts), written in one go as well. */
const SEGMENT_LINE = /(ring-\d+-\d+\.ts),(-?[\d.]+),(-?[\d.]+)\n/g;
const MARK_LINE = /^m=1$/;
/** `[h264 @ 0x55e8] [error] text`: who says it, how grave it is, what is said. */
const LEVEL_LINE = /^((?:\[[^\]]*\] )?)\[(panic|fatal|error|warning|info|verbose|debug)\] ?(.*)$/;
const TELLING_WARNING = /^New video stream /;
const INPUT = /^Input #0, (\S+), from /;
const OUTPUT = /\[info\] Output #0, /;
const DURATION = /^\s*Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/;
const VIDEO = /^\s*Stream #0:\S+: Video: (\w+)/;
/** `, 1280x720 [SAR 1:1 DAR 16:9], ` */
const SIZE = /, (\d+)x(\d+)(?: \[SAR \d+:\d+ DAR (\d+):(\d+)\])?/;
const MAX_LINE = 4096;

/** Feed it decoded text in any portions. */
export function createStderrReader(handlers: StderrHandlers): (text: string) => void {
  let rest = '';
  // What it says of its output has the same form.
  let isOfInput = true;
  const onInput = (described: InputDescription): void => {
    if (isOfInput) handlers.onInput(described);
  };
  return (text) => {
    rest += text;
    const end = rest.lastIndexOf('\n') + 1;
    if (end === 0 && rest.length <= MAX_LINE) return;
    const whole = rest.slice(0, end || rest.length);
    rest = rest.slice(whole.length);
    const messages = whole
      .replace(PTS_LINE, (_, pts: string) => {
        handlers.onPts(/^-?\d+$/.test(pts) ? Number(pts) : undefined);
        return '';
      })
      .replace(SEGMENT_LINE, (_, name: string, start: string, end: string) => {
        handlers.onSegment?.({ name, startS: Number(start), endS: Number(end) });
        return '';
      });
    for (const line of messages.split('\n')) {
      if (OUTPUT.test(line)) isOfInput = false;
      if (line.trim() !== '' && !MARK_LINE.test(line.trim()))
        readLine(line.slice(0, MAX_LINE), { ...handlers, onInput });
    }
  };
}

/** Lines without a level come from the shell that starts ffmpeg, or are the rest of a torn one. */
function readLine(line: string, { onInput, onMessage, onWarning }: StderrHandlers): void {
  const match = LEVEL_LINE.exec(line);
  if (!match) {
    onMessage(line.trim());
    return;
  }
  const [, speaker = '', level = '', text = ''] = match;
  if (level === 'info') describeInput(text, onInput);
  else if (/panic|fatal|error/.test(level) || TELLING_WARNING.test(text))
    onMessage(`${speaker}${text}`.trim());
  else if (level === 'warning') onWarning(`${speaker}${text}`.trim());
}

function describeInput(text: string, onInput: StderrHandlers['onInput']): void {
  const format = INPUT.exec(text)?.[1];
  if (format !== undefined) onInput({ format });
  const duration = DURATION.exec(text);
  if (duration) {
    const [hours = 0, minutes = 0, seconds = 0] = duration.slice(1).map(Number);
    onInput({ declaredMs: Math.round(((hours * 60 + minutes) * 60 + seconds) * 1000) });
  }
  const codec = VIDEO.exec(text)?.[1];
  if (codec === undefined) return;
  const shape = shapeOf(text);
  onInput({ codec, ...(shape !== undefined && { shape }) });
}

function shapeOf(text: string): number | undefined {
  const [width = 0, height = 0, across, down] = SIZE.exec(text)?.slice(1).map(Number) ?? [];
  const shape = across && down ? across / down : width / height;
  return Number.isFinite(shape) && shape > 0 ? shape : undefined;
}
