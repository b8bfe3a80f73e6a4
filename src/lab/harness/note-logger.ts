import { silentLogger, type Logger } from '../../core/logger.ts';

/** What goes wrong in a video that can be read all the same, e.g. damaged frames, as one note a video. */
export function noteLogger(path: string, onNote: (note: string) => void): Logger {
  let noted = false;
  const tell = (fields: object, message: string): void => {
    if (noted) return;
    noted = true;
    const cause = 'last_cause' in fields ? `: ${String(fields.last_cause)}` : '';
    onNote(`${path}: ${message}${cause}`);
  };
  return { ...silentLogger, warn: tell, error: tell };
}
