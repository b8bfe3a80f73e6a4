import { expect, it } from 'vitest';

import { readClips } from '../../support/clip-reader.ts';
import { timeVideo } from '../../support/lavfi.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

it('several streams that are the first to start ffmpeg, all at once, do not disturb one another', async () => {
  const video = await timeVideo(await temporaryDirectory(), 'scene.mp4', { seconds: 2 });
  const readers = ['a', 'b', 'c', 'd'].map((streamId) =>
    readClips({ streamId, url: video, kind: 'file', policy: 'every_frame' }),
  );
  await Promise.all(readers.map(({ done }) => done));

  for (const { stream, clips } of readers) {
    expect(clips.map(({ clipId }) => clipId)).toEqual(
      [0, 4, 8, 12, 16].map((start) => `${stream.streamId}/0/${start}`),
    );
  }
});
