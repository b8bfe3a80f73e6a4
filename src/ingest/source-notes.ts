/** Demuxers of single images, and of bare codec streams, which hold frames and no container around them. */
const STILL = /^(image2|.*_pipe)$/;
const RAW = /^(h264|hevc|m4v|mpegvideo|h263|vc1|obu|mjpeg|cavsvideo|vvc)$/;

/** A camera that is joined shows nothing before its next key frame; after lost packets neither. */
export const LONG_KEY_INTERVAL_S = 4;

const MORE_KEY_FRAMES = 'set the camera to one key frame every 1 to 2 s';

/** What a file of one image is; undefined where it holds more, or is no image. */
export function noteOfStill(format: string, frames: number): string | undefined {
  return STILL.test(format) && frames <= 1
    ? 'a still image: one frame, which a run repeats to one clip'
    : undefined;
}

export function noteOfRawStream(format: string): string | undefined {
  return RAW.test(format)
    ? 'a raw stream without times: its frame rate is a guess, unless the codec tells it; put it into a container, such as .mkv, with its true rate'
    : undefined;
}

/** @param interval between two key frames, for people: `6.0 s` */
export function noteOfKeyFrames(interval: string): string {
  return `${interval} between key frames: a live source shows its first frame only so long after each connection; ${MORE_KEY_FRAMES}`;
}

/** What a run sees of rare key frames. @param waitedMs from the open connection to the first frame */
export function noteOfFirstFrame(waitedMs: number): string | undefined {
  if (waitedMs <= LONG_KEY_INTERVAL_S * 1000) return undefined;
  return `its first frame came ${(waitedMs / 1000).toFixed(1)} s after the connection was open, as where key frames are far apart; ${MORE_KEY_FRAMES}`;
}
