import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watchOver } from '../processes/process-guard.ts';

/** A clip is copied, a snapshot decodes some seconds: what takes longer hangs. */
const LONGEST_MS = 60_000;
const KEPT_CHARACTERS = 2000;

/**
 * Runs ffmpeg to its end, at the lowest priority it can: streams come first.
 * @param input of its standard input
 * @throws Error with the last that it said, where it fails, hangs or is aborted
 */
export async function runFfmpeg(
  ffmpegPath: string,
  args: readonly string[],
  { input = '', signal }: { readonly input?: string; readonly signal: AbortSignal },
): Promise<void> {
  const child = spawn(ffmpegPath, ['-hide_banner', '-loglevel', 'error', '-nostats', '-y', ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]),
    killSignal: 'SIGKILL',
  });
  // An error of the process is its exit; of its input, that it has ended.
  const failed = new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve);
    child.once('close', () => {
      resolve(undefined);
    });
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-KEPT_CHARACTERS);
  });
  const watcherGone = watchOver(child);
  const error = await failed;
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
    await once(child, 'close');
  await watcherGone;
  if (error) throw error;
  if (child.exitCode !== 0) throw new Error(said.trim() || `ffmpeg ended with ${child.exitCode}`);
}
