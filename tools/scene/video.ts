import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { ActionstreamError } from '../../src/core/errors.ts';
import { createSceneRenderer } from './render.ts';
import { sceneTruth } from './truth.ts';
import type { Scene } from './scene.ts';
import type { SceneTruth } from './truth.ts';

export interface VideoOptions {
  /** `ffmpeg` from the path by default. */
  readonly ffmpegPath?: string;
  /** x264's constant rate factor: 18 is near lossless, 35 a poor camera. */
  readonly quality?: number;
  readonly signal?: AbortSignal;
}

/**
 * Writes the video (H.264, a key frame each second) and its truth beside it as
 * `.json`. Answers with the truth.
 */
export async function writeSceneVideo(
  scene: Scene,
  path: string,
  options: VideoOptions = {},
): Promise<SceneTruth> {
  const renderer = createSceneRenderer(scene);
  await encode(scene, renderer, path, options);
  const truth = sceneTruth(scene, renderer.background);
  await writeFile(path.replace(/\.[^./\\]+$/, '') + '.json', JSON.stringify(truth, undefined, 1) + '\n');
  return truth;
}

async function encode(
  scene: Scene,
  renderer: ReturnType<typeof createSceneRenderer>,
  path: string,
  { ffmpegPath = 'ffmpeg', quality = 25, signal }: VideoOptions,
): Promise<void> {
  const { width, height, fps } = scene;
  const input = [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    '-s',
    `${width}x${height}`,
    '-r',
    `${fps}`,
    '-i',
    'pipe:0',
  ];
  const codec = [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-crf',
    `${quality}`,
    '-pix_fmt',
    'yuv420p',
    '-g',
    `${fps}`,
  ];
  // One thread: the same frames then give the same file on every machine.
  const output = [...codec, '-threads', '1', '-movflags', '+faststart', '-fflags', '+bitexact', '-y', path];
  const child = spawn(ffmpegPath, ['-v', 'error', ...input, ...output], {
    stdio: ['pipe', 'ignore', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2000)));
  // A pipe that ffmpeg closed shows in its exit code, below.
  child.stdin.on('error', () => undefined);
  const closed = (once(child, 'close') as Promise<[number | null]>).catch((cause: unknown) => {
    if (signal?.aborted === true)
      throw new ActionstreamError('ABORTED', `writing ${path} was interrupted`, { cause });
    const remedy = 'install ffmpeg with libx264 or give its path';
    throw new ActionstreamError('FFMPEG_MISSING', `cannot start ${ffmpegPath}: ${remedy}`, { cause });
  });
  closed.catch(() => undefined);

  for (let index = 0; index < renderer.frameCount && child.stdin.writable; index++) {
    if (!child.stdin.write(renderer.frame(index))) await Promise.race([once(child.stdin, 'drain'), closed]);
  }
  child.stdin.end();
  const [code] = await closed;
  if (code !== 0) {
    throw new ActionstreamError(
      'INTERNAL',
      `ffmpeg could not write ${path} (exit ${code}): ${complaint.trim()}`,
    );
  }
}
