import { stat } from 'node:fs/promises';

import { ActionstreamError } from '../core/errors.ts';
import { DEVICE_REMEDY } from './source-schemes.ts';

/** ffmpeg takes files of these names for terminal art and draws their text as frames. */
const TEXT_NAME = /\.(txt|nfo|asc|ans|art|diz|ice|vt)$/i;

/** Says what ffmpeg would say in a riddle, or not at all. @throws INPUT_INVALID */
export async function demandReadable(path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new ActionstreamError(
      'INPUT_INVALID',
      /[*?]/.test(path)
        ? `cannot open ${path}: no such file; patterns are not expanded here: name each file by itself`
        : `cannot open ${path}: no such file, or not readable; check the path and its permissions`,
      {
        cause,
      },
    );
  });
  if (found.isDirectory()) {
    throw new ActionstreamError(
      'INPUT_INVALID',
      `${path} is a directory, not a video file; name a file in it`,
    );
  }
  if (found.isCharacterDevice() && /^\/dev\/(video|media|v4l)/.test(path)) {
    throw new ActionstreamError('INPUT_INVALID', `${path} is a capture device; ${DEVICE_REMEDY}`);
  }
  if (found.isFile() && found.size === 0) {
    throw new ActionstreamError('INPUT_INVALID', `${path} is empty (0 bytes); copy or record it anew`);
  }
  if (TEXT_NAME.test(path)) {
    throw new ActionstreamError('INPUT_INVALID', `${path} is a text file by its name, not a video`);
  }
}
