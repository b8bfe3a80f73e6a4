import { duration, section, size, text, wait } from '../settings/fields.ts';
import { asFlag } from '../settings/flags.ts';

export const mediaSchema = section(
  {
    dir: asFlag(
      text('Folder on a local disk; created where missing. Left out: no video is kept anywhere.'),
      '--media <dir>',
    ).optional(),
    before: wait('0s', 'How much of the time before an episode its clip shows.').prefault('5s'),
    after: wait('0s', 'How much of the time after it.').prefault('5s'),
    longest: wait('100ms', 'Of a longer episode the clip shows so much.').prefault('1m'),
    max_size: size(
      ['1MiB', '1024TiB'],
      'Bytes on disk, of all streams. Beyond it the oldest clips and snapshots are deleted.',
    ).prefault('10GiB'),
    max_age: duration('Clips and snapshots are deleted after this.').prefault('30d'),
    min_free: size(
      ['0B', '1024TiB'],
      'Free bytes that the disk keeps for others, such as the journal. Below it media are deleted and none are made.',
    ).prefault('1GiB'),
  },
  'Snapshots and clips of episodes, from the video as the source sends it; docs/media.md.',
);
