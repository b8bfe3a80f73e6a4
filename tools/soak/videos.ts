import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const ffmpeg = async (...args: readonly string[]): Promise<void> => {
  await promisify(execFile)('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args]);
};

/** A scene for the cameras, which play it again and again, and one as long as nine tenths of the soak. */
export async function writeVideos(
  directory: string,
  minutes: number,
): Promise<{ readonly camera: string; readonly file: string }> {
  const camera = path.join(directory, 'camera.mp4');
  const file = path.join(directory, 'long.mp4');
  const source = 'testsrc2=size=160x120:rate=15:duration=30,format=yuv420p';
  const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '15'];
  await ffmpeg('-f', 'lavfi', '-i', source, ...encode, camera);
  await ffmpeg('-stream_loop', '-1', '-i', camera, '-t', String(minutes * 54), '-c', 'copy', file);
  return { camera, file };
}
