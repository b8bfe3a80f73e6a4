import { createHash } from 'node:crypto';

/**
 * Whether a clip is among the share that is audited: a hash of its stream and id decides, so it is the same
 * in every run, and says nothing about what the clip shows. What a smaller share chooses a larger one chooses
 * too.
 *
 * @param share 0 to 1
 */
export function isChosen(streamId: string, clipId: string, share: number): boolean {
  const digest = createHash('sha256').update(`${streamId}\n${clipId}`).digest();
  return digest.readUInt32BE(0) < share * 2 ** 32;
}
