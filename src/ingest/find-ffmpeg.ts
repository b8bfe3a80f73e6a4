import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { ActionstreamError, messageOf } from '../core/errors.ts';

interface FfmpegProgram {
  readonly path: string;
  /** As it calls itself: `5.1.9-0+deb12u1`. */
  readonly version: string;
}

const OLDEST = { major: 5, minor: 1 };
const INSTALL =
  'install it (apt-get install ffmpeg · dnf install ffmpeg-free · brew install ffmpeg · apk add ffmpeg) or set FFMPEG_PATH';

/**
 * FFMPEG_PATH where set, else `ffmpeg` in PATH. `env` is an argument because stages do not read the process.
 * @throws FFMPEG_MISSING where there is none, it does not start, or it is older than 5.1
 */
export async function findFfmpeg(env: Readonly<Record<string, string | undefined>>): Promise<FfmpegProgram> {
  const named = env['FFMPEG_PATH'];
  const path = named === undefined || named === '' ? await findInPath('ffmpeg', env['PATH'] ?? '') : named;
  if (path === undefined) throw new ActionstreamError('FFMPEG_MISSING', `no ffmpeg in PATH; ${INSTALL}`);
  const { stdout } = await promisify(execFile)(path, ['-version'], { timeout: 10_000 }).catch(
    (cause: unknown) => {
      throw new ActionstreamError('FFMPEG_MISSING', `cannot run ${path}: ${messageOf(cause)}; ${INSTALL}`, {
        cause,
      });
    },
  );
  const version = /^ffmpeg version (\S+)/.exec(stdout)?.[1];
  if (version === undefined) {
    throw new ActionstreamError('FFMPEG_MISSING', `${path} does not call itself ffmpeg; ${INSTALL}`);
  }
  if (isTooOld(version)) {
    throw new ActionstreamError(
      'FFMPEG_MISSING',
      `${path} is ffmpeg ${version}, 5.1 or later is needed; ${INSTALL}`,
    );
  }
  return { path, version };
}

/** First executable file of that name in a PATH-like list. */
async function findInPath(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const candidate = join(folder, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Builds from the development tree (`N-109468-g…`) carry no release number and pass. */
function isTooOld(version: string): boolean {
  const match = /^n?(\d+)\.(\d+)/.exec(version);
  if (!match) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor);
}
