/** What ffmpeg does to raw frames before we see them. */
export interface FilterOptions {
  readonly width: number;
  readonly height: number;
  readonly fit: 'stretch' | 'crop';
  /** The frame is brought to so many times width and height, and its middle cut out. Default 1. */
  readonly scale?: number;
  /** Frames a second of the sampling grid. */
  readonly fps: number;
  /** The source sends no times of its own: a frame's time is when ffmpeg decoded it. */
  readonly arrivalTimes?: boolean;
}

/**
 * The filter graph: raw frame time in microseconds → at most one raw frame a grid
 * slot → a line with its pts → model size.
 *
 * `select` thins instead of the `fps` filter because that one repeats frames over holes and
 * so hides them; repeating over short holes is done on our side, where long ones become
 * discontinuities (sampling-grid.ts, ADR 0008). Raw frames are thinned before they are
 * scaled. `metadata=print` writes `frame:N pts:P` to stderr, one write a raw frame, ahead of
 * the raw frame itself; it prints only raw frames that carry metadata, hence the mark.
 */
export function samplingFilter({
  width,
  height,
  fit,
  fps,
  scale: enlarged = 1,
  arrivalTimes,
}: FilterOptions): string {
  const slot = (pts: string): string => `floor((${pts}+${toleranceUs(fps)})*${fps}/1000000)`;
  const [w, h] = [Math.round(width * enlarged), Math.round(height * enlarged)];
  const size = fit === 'crop' ? coveringSize(w, h) : `${w}:${h}`;
  const crop = fit === 'crop' || enlarged !== 1 ? `,crop=${width}:${height}` : '';
  const scale = `scale=${size}:flags=bilinear${crop}`;
  return [
    'settb=1/1000000',
    ...(arrivalTimes === true ? ['setpts=RTCTIME-RTCSTART'] : []),
    `select='isnan(pts)+isnan(prev_selected_pts)+not(eq(${slot('pts')},${slot('prev_selected_pts')}))'`,
    'metadata=add:key=m:value=1',
    'metadata=print:file=pipe\\\\:2:direct=1',
    scale,
  ].join(',');
}

/**
 * The least size of the frame's shape that covers width×height. The shape is that of the display:
 * pixels need not be square (`sar`), and ffmpeg's own force_original_aspect_ratio goes by their numbers.
 */
function coveringSize(width: number, height: number): string {
  const shape = '(iw*sar/ih)';
  return `w='max(${width},round(${height}*${shape}))':h='max(${height},round(${width}/${shape}))'`;
}

/**
 * The grid slot of a presentation time: slot n takes the first raw frame from
 * n/fps on. The same arithmetic, to the rounding of doubles, as in the filter.
 */
export function slotOf(ptsUs: number, fps: number): number {
  return Math.floor(((ptsUs + toleranceUs(fps)) * fps) / 1_000_000);
}

/**
 * A raw frame so little early counts as in time: clocks of cameras jitter and containers round to
 * milliseconds, and at equal rates every second raw frame would else miss its slot. Short enough
 * that the last raw frame of a file (up to 125 a second) does not slip into a slot behind its end.
 */
function toleranceUs(fps: number): number {
  return Math.min(8000, Math.floor(500_000 / fps));
}
