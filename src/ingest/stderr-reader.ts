/** ffmpeg's stderr: one pts a picture, and messages. */
export interface StderrHandlers {
  /** Microseconds as the source sent them; undefined where it sent none. One call a picture, in order. */
  readonly onPts: (ptsUs: number | undefined) => void;
  readonly onMessage: (line: string) => void;
}

/** `metadata=print` writes this in one go, but it may land in the middle of a message that is written in parts. */
const PTS_LINE = /frame:\d+\s+pts:(-?\d+|\S+)\s+pts_time:\S+\n(?:m=1\n)?/g;
const MARK_LINE = /^m=1$/;
const MAX_LINE = 4096;

/** Feed it decoded text in any portions. */
export function createStderrReader({ onPts, onMessage }: StderrHandlers): (text: string) => void {
  let rest = '';
  return (text) => {
    rest += text;
    const end = rest.lastIndexOf('\n') + 1;
    if (end === 0 && rest.length <= MAX_LINE) return;
    const whole = rest.slice(0, end || rest.length);
    rest = rest.slice(whole.length);
    const messages = whole.replace(PTS_LINE, (_, pts: string) => {
      onPts(/^-?\d+$/.test(pts) ? Number(pts) : undefined);
      return '';
    });
    for (const line of messages.split('\n')) {
      const trimmed = line.trim();
      if (trimmed !== '' && !MARK_LINE.test(trimmed)) onMessage(trimmed.slice(0, MAX_LINE));
    }
  };
}
