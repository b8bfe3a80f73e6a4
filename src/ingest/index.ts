export { createClipStream } from './clip-stream.ts';
export { clipsOfFrames, clipsOfFrameStream } from './clips-of-frames.ts';
export { findFfmpeg } from './find-ffmpeg.ts';
export { demandReadable } from './local-file.ts';
export { probeSource } from './probe.ts';
export { recordingDigest } from './recording-digest.ts';
export { composeSourceAddress } from './source-address.ts';
export type { SourceReport } from './probe-report.ts';
