import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface ChangingFootage {
  readonly ffmpeg: string;
  readonly folder: string;
  readonly fps: number;
  /** Filter of ffmpeg for every second part. */
  readonly change: string;
  /** Length of the parts, in order. */
  readonly seconds: readonly number[];
}

/**
 * A video again and again, its parts by turns as it is and changed. @returns the path of the footage, in the
 * folder
 */
export async function makeFootage(
  video: string,
  { ffmpeg, folder, fps, change, seconds }: ChangingFootage,
): Promise<string> {
  const parts: string[] = [];
  for (const [index, length] of seconds.entries()) {
    const part = join(folder, `part-${index}.mp4`);
    const filters = [...(index % 2 === 1 ? [change] : []), `fps=${fps}`, 'scale=320:240', 'format=yuv420p'];
    await run(ffmpeg, [
      ...['-v', 'error', '-y', '-stream_loop', '-1', '-i', video, '-t', String(length), '-an'],
      ...['-vf', filters.join(','), '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', part],
    ]);
    parts.push(part);
  }
  const list = join(folder, 'parts.txt');
  await writeFile(list, parts.map((part) => `file '${part}'\n`).join(''));
  const footage = join(folder, 'footage.mp4');
  await run(ffmpeg, ['-v', 'error', '-y', '-f', 'concat', '-safe', '0', '-i', list, '-c', 'copy', footage]);
  return footage;
}
