export { createClipStream } from './clip-stream.ts';
export { findFfmpeg, type FfmpegProgram } from './find-ffmpeg.ts';
export { probeSource, type ProbeOptions } from './probe.ts';
export type { SourceReport } from './probe-report.ts';
export { windowClips } from './window-clips.ts';
