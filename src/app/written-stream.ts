import { Problem } from '../api/problem.ts';
import { ConfigInvalid } from '../config/index.ts';
import { isSection } from '../config/layers.ts';
import { dotted } from '../config/problem.ts';

/** No section of a stream lies deeper. */
const MOST_LEVELS = 8;

/**
 * Settings as a request brings them, before they are checked against the schema.
 * @throws Problem 400 where they are none, or hold what only a person at the machine may say
 */
export function writtenSettings(body: unknown): Readonly<Record<string, unknown>> {
  if (!isSection(body) || isDeeper(body, MOST_LEVELS))
    throw new Problem(
      400,
      'BAD_REQUEST',
      'expected a JSON object of settings, as of a stream in docs/config.md',
    );
  if (Object.hasOwn(body, 'password_file'))
    throw fieldProblem('password_file', 'names a file of the server; give the password itself');
  if (typeof body['url'] === 'string' && body['url'].includes('***'))
    throw fieldProblem(
      'url',
      'holds ***, which stands for a hidden login; leave url out to keep it as it is',
    );
  return body;
}

/** Changes of a stream's settings as a request wrote them. @throws Problem where they name another stream */
export function writtenChanges(streamId: string, patch: unknown): Readonly<Record<string, unknown>> {
  const changes = writtenSettings(patch);
  if (changes['id'] !== undefined && changes['id'] !== streamId)
    throw fieldProblem('id', 'cannot be changed: it is the key of the events; add another stream');
  return changes;
}

function fieldProblem(field: string, detail: string): Problem {
  return new Problem(400, 'CONFIG_INVALID', `${field}: ${detail}`, [{ field, detail }]);
}

/** What `act` throws of a configuration becomes a problem that names the fields of the stream. */
export function naming<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    const errors = error.problems.map(({ path, message }) => {
      const [top, position] = path;
      const isOfStream = top === 'streams' && typeof position === 'number';
      return { field: dotted(isOfStream ? path.slice(2) : path), detail: message };
    });
    const detail = errors.map(({ field, detail: what }) => `${field}: ${what}`).join('; ');
    throw new Problem(400, 'CONFIG_INVALID', detail, errors);
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeper(item, levels - 1));
}
