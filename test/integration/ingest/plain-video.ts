import { join } from 'node:path';

import { beforeAll } from 'vitest';

import type { Clip } from '../../../src/core/frame.ts';
import type { StreamOptions } from '../../../src/ingest/types.ts';
import { readClips } from '../../support/clip-reader.ts';
import { timeVideo } from '../../support/lavfi.ts';
import { fileDirectory } from '../../support/temporary-directory.ts';

/** Distance of two raw frames of the plain video: none lies further from its slot. */
export const RAW_FRAME_MS = 40;
export const everyFrame = { kind: 'file', policy: 'every_frame' } as const;

/** A folder of the test file's own, and in it a video of 8 s whose frames tell their time. */
export function plainVideo(): { readonly folder: () => string; readonly plain: () => string } {
  const folder = fileDirectory();
  beforeAll(() => timeVideo(folder(), 'plain.mp4', { seconds: 8 }));
  return { folder, plain: () => join(folder(), 'plain.mp4') };
}

export async function clipsOf(url: string, options: Partial<StreamOptions> = {}): Promise<readonly Clip[]> {
  const reader = readClips({ ...everyFrame, ...options, url });
  await reader.done;
  return reader.clips;
}
