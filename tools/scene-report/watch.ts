import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { ActionstreamError } from '../../src/core/errors.ts';
import type { ActionEvent, PublishedRecord } from '../../src/core/records.ts';

const MAIN = path.resolve(import.meta.dirname, '../../dist/main.js');

/** The episodes that the built program (`npm run build`) reports in a video, by `actionstream run`. */
export async function watchVideo(
  video: string,
  options: { readonly model: string; readonly more?: readonly string[] },
): Promise<readonly ActionEvent[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'scene-report-'));
  try {
    const journal = path.join(directory, 'journal');
    const common = ['run', '--source', video, '--model', options.model, '--journal', journal, '--json'];
    const child = spawn(process.execPath, [MAIN, ...common, ...(options.more ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    if (code !== 0) {
      const remedy = 'run `npm run build` first where dist/ is missing or old';
      throw new ActionstreamError(
        'INTERNAL',
        `actionstream run ${video} ended with ${code}; ${remedy}: ${stderr}`,
      );
    }
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as PublishedRecord)
      .flatMap(({ type, payload }) =>
        type === 'action.event' && payload.state === 'ended' ? [payload] : [],
      );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
