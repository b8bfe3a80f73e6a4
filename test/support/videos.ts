import path from 'node:path';
import { demoScene } from '../../tools/scene/ready-made.ts';
import type { SceneTruth } from '../../tools/scene/truth.ts';
import { writeSceneVideo } from '../../tools/scene/video.ts';
import { ffmpeg } from './lavfi.ts';

export interface SceneVideo {
  readonly file: string;
  readonly truth: SceneTruth;
}

/**
 * The demo's scene, small: 30 s at 15 frames a second, an empty room, two
 * people from about 8 to 22 s, an empty room.
 */
export async function sceneVideo(directory: string): Promise<SceneVideo> {
  const file = path.join(directory, 'scene.mp4');
  const truth = await writeSceneVideo(demoScene({ width: 160, height: 120 }), file);
  return { file, truth };
}

/** A test image that never rests, for a camera: a key frame each second. */
export async function busyVideo(directory: string, seconds = 10): Promise<string> {
  const file = path.join(directory, 'busy.mp4');
  const source = `testsrc2=size=160x120:rate=15:duration=${seconds},format=yuv420p`;
  await ffmpeg(
    ...['-f', 'lavfi', '-i', source],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '15', file],
  );
  return file;
}
